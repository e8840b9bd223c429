// All runs: what each does, and going on with one exactly where it was interrupted.

import { act, follow, get } from "../api.js";
import { ago, count, empty, fixed, h, isActive, stateLabel, toast } from "../ui.js";

export async function show({ root, onleave }) {
  const { runs, folder, order } = await get("/api/runs");
  const body = h("div");
  root.append(
    h("div", { class: "head" }, h("h1", {}, "Runs"), h("span", { class: "grow" }), h("a", { class: "button main", href: "#/train" }, "New run"),
      h("p", { class: "soft" }, `In ${folder}. ${order}`)),
    body,
  );
  let drawn = "";
  const update = (list) => {
    const text = JSON.stringify(list);
    if (text === drawn) return;
    drawn = text;
    const focused = document.activeElement?.dataset?.key;
    body.replaceChildren(list.length ? listOf(list) : empty("No runs yet. A first one takes about a minute until it looks like digits.", h("a", { class: "button main", href: "#/train" }, "Train the first one")));
    if (focused) body.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
  };
  update(runs);
  onleave(follow([], { onruns: update }));
}

function listOf(runs) {
  const numbers = ["images", "D loss", "G loss"];
  const headings = ["run", "state", "recipe", "data", ...numbers, "changed", ""];
  return h("section", {}, h("div", { class: "scroll", tabIndex: 0, role: "region", "aria-label": "Runs" }, h("table", {},
    h("thead", {}, h("tr", {}, headings.map((text) => h("th", { scope: "col", class: classOf(text) }, text || h("span", { class: "skip" }, "actions"))))),
    h("tbody", {}, runs.map(rowOf)))));
}

const classOf = (text) =>
  [["images", "D loss", "G loss"].includes(text) && "number", ["recipe", "data", "images", "D loss", "G loss", "changed"].includes(text) && "optional"].filter(Boolean).join(" ");

function rowOf(run) {
  const link = `#/live?run=${encodeURIComponent(run.name)}`;
  return h("tr", { "data-run": run.name },
    h("th", { scope: "row" }, h("a", { href: link, "data-key": `open-${run.name}` }, run.name)),
    h("td", {}, stateLabel(run)),
    h("td", { class: "optional" }, run.recipe ?? "unreadable"),
    h("td", { class: "optional" }, run.data ?? ""),
    h("td", { class: "number optional" }, count(run.images)),
    h("td", { class: "number optional" }, fixed(run.metrics.d_loss)),
    h("td", { class: "number optional" }, fixed(run.metrics.g_loss)),
    h("td", { class: "optional" }, ago(run.changed)),
    h("td", {}, actionOf(run)));
}

function actionOf(run) {
  const button = (action, text) =>
    h("button", { type: "button", "data-key": `${action}-${run.name}`, "aria-label": `${text} ${run.name}`, onclick: () => act(run.name, action).then(() => toast(`${run.name}: ${text.toLowerCase()}`), (error) => toast(error.message)) }, text);
  if (run.state === "queued") return button("cancel", "Cancel");
  if (run.state === "paused") return button("resume", "Resume");
  if (isActive(run.state)) return button("stop", "Stop");
  return ["stopped", "failed", "crashed"].includes(run.state) ? button("resume", "Resume") : null;
}
