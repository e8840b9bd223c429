// Images of one's own: drop them, each in its class, and train on them.

import { get } from "../api.js";
import { count, h, named, table, toast } from "../ui.js";

const AT_ONCE = 4; // uploads
const SHOWN = 24; // previews

export async function show({ root, settings, keep }) {
  let sets = await get("/api/uploads");
  const nameField = h("input", { value: settings.get("set") ?? "mine", maxLength: 64, spellcheck: false, autocomplete: "off" });
  const classField = h("input", { value: settings.get("class") ?? "0", maxLength: 60, spellcheck: false, autocomplete: "off" });
  const remember = () => keep({ set: nameField.value, class: classField.value });
  const pick = h("input", { type: "file", multiple: true, accept: "image/*" });
  const pickFolder = h("input", { type: "file", webkitdirectory: true });
  const zone = h("div", { class: "drop", role: "group", "aria-label": "Drop pictures here" }, h("p", {}, "Drop pictures or folders here."), h("p", { class: "soft" }, "The pictures of a folder get its name as their class; others get the class below."));
  const status = h("p", { class: "sentence", role: "status" });
  const bar = h("progress", { max: 1, value: 0, hidden: true, "aria-label": "Upload" });
  const refused = h("ul", { class: "soft" });
  const previews = h("div", { class: "tiles" });
  previews.style.setProperty("--columns", 12);
  const list = h("div", { class: "stack" });

  function draw() {
    const entries = Object.entries(sets);
    list.replaceChildren(...(entries.length ? entries.map(([name, { data, classes }]) => {
      const rows = Object.entries(classes).map(([each, images]) => [each, count(images)]);
      return h("section", { "data-set": name }, h("div", { class: "head" }, h("h2", {}, name), h("span", { class: "grow" }), h("a", { class: "button main", href: `#/train?recipe=dcgan&data=${encodeURIComponent(data)}`, "aria-label": `Train on ${name}` }, "Train on it")), table(`Images of ${name}`, ["class", "images"], rows));
    }) : [h("section", {}, h("p", { class: "soft" }, "Nothing uploaded yet. A few hundred images of each class are a good start."))]));
  }

  async function send(items) {
    remember();
    const set = nameField.value.trim();
    const images = items.filter(({ file }) => !file.name.startsWith("."));
    if (!images.length) return toast("There is no picture among these files.");
    refused.replaceChildren();
    bar.hidden = false;
    let [done, stored, failed] = [0, 0, 0];
    const queue = [...images];
    const work = async () => {
      for (let item = queue.shift(); item; item = queue.shift()) {
        try {
          const response = await fetch(`/api/uploads/${encodeURIComponent(set)}/${encodeURIComponent(item.label)}`, { method: "PUT", body: item.file });
          const text = await response.text();
          if (!response.ok) throw new Error(messageOf(text));
          stored += JSON.parse(text).stored;
          if (previews.childElementCount < SHOWN) previews.append(h("img", { src: URL.createObjectURL(item.file), alt: item.label, class: "picture" }));
        } catch (error) {
          failed++;
          if (refused.childElementCount < 8) refused.append(h("li", {}, `${item.file.name}: ${error.message}`));
        }
        done++;
        bar.value = done / images.length;
        status.textContent = `${count(done)} of ${count(images.length)} sent, ${count(stored)} new${failed ? `, ${count(failed)} refused` : ""}.`;
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    bar.hidden = true;
    sets = await get("/api/uploads");
    draw();
    root.dataset.stored = stored;
  }

  const fromList = (files) => [...files].map((file) => ({ file, label: labelOf(file.webkitRelativePath) ?? classField.value.trim() }));
  pick.addEventListener("change", () => send(fromList(pick.files)));
  pickFolder.addEventListener("change", () => send(fromList(pickFolder.files)));
  for (const field of [nameField, classField]) field.addEventListener("input", remember);
  zone.addEventListener("dragover", (event) => {
    event.preventDefault();
    zone.classList.add("over");
  });
  zone.addEventListener("dragleave", () => zone.classList.remove("over"));
  zone.addEventListener("drop", async (event) => {
    event.preventDefault();
    zone.classList.remove("over");
    const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
    const found = entries.length ? (await Promise.all(entries.map((entry) => walk(entry)))).flat() : [...event.dataTransfer.files].map((file) => ({ file, path: "" }));
    send(found.map(({ file, path }) => ({ file, label: labelOf(path) ?? classField.value.trim() })));
  });
  root.append(
    h("div", { class: "head" }, h("h1", {}, "Your images"), h("p", { class: "soft" }, "They stay on this computer, in the folder of the runs.")),
    h("div", { class: "columns" },
      h("section", {}, zone,
        h("div", { class: "field" }, h("label", { for: named(nameField) }, "Name of the set"), nameField),
        h("div", { class: "field" }, h("label", { for: named(classField) }, "Class of single pictures"), classField),
        h("div", { class: "field" }, h("label", { for: named(pick) }, "Choose pictures"), pick),
        h("div", { class: "field" }, h("label", { for: named(pickFolder) }, "Choose a folder with a folder for each class"), pickFolder),
        bar, status, refused, previews),
      list));
  draw();
}

/** The folder of a file is its class: the last one in its path. */
function labelOf(path) {
  const folders = (path ?? "").split("/").slice(0, -1).filter(Boolean);
  return folders.at(-1) ?? null;
}

const messageOf = (text) => {
  try {
    return JSON.parse(text).error ?? text;
  } catch {
    return text;
  }
};

/** List the files of a dropped folder, with their paths. */
async function walk(entry) {
  if (entry.isFile) return [{ file: await new Promise((resolve, reject) => entry.file(resolve, reject)), path: entry.fullPath }];
  const reader = entry.createReader();
  const inside = [];
  for (;;) { // a reader gives a hundred at a time
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) break;
    inside.push(...some);
  }
  return (await Promise.all(inside.map(walk))).flat();
}
