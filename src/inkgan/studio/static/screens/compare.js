// Two runs side by side: what is different in their recipes, and what became of it.

import { follow, get, runPath } from "../api.js";
import { lineChart } from "../chart.js";
import { tiles } from "../tiles.js";
import { choice, copy, dotted, empty, h, isActive, isGray, stateLabel, table } from "../ui.js";

export async function show({ root, settings, keep, onleave }) {
  const { runs } = await get("/api/runs");
  const names = runs.filter((run) => run.recipe).map((run) => run.name);
  if (names.length < 2) {
    root.append(empty("Two runs are needed for a comparison. Train a second one with one setting changed.", h("a", { class: "button main", href: "#/train" }, "Train another")));
    return;
  }
  const pick = (key, other) => (names.includes(settings.get(key)) ? settings.get(key) : names.find((name) => name !== other));
  const a = pick("a", settings.get("b"));
  const b = pick("b", a);
  keep({ a, b });
  const go = (one, other) => (location.hash = `#/compare?a=${encodeURIComponent(one)}&b=${encodeURIComponent(other)}`);
  const [first, second] = await Promise.all([a, b].map((name) => get(runPath(name))));
  const views = [first, second].map((run) => sideOf(run));
  const labels = [a, b];
  const charts = {
    d_loss: lineChart("Loss of the discriminator", labels),
    g_loss: lineChart("Loss of the generator", labels),
    d_real_accuracy: lineChart("Right on real images", labels, { share: true }),
    d_fake_accuracy: lineChart("Right on generated images", labels, { share: true }),
    e3_distance: lineChart("Distance to real images", labels, { hint: "Lower is better." }),
  };
  const changes = differences(first.values, second.values);
  root.append(
    h("div", { class: "head" }, h("h1", {}, "Side by side"), h("span", { class: "grow" }),
      h("button", { type: "button", class: "quiet", onclick: () => copy(`inkgan compare ${first.path} ${second.path}`, "Command") }, "Copy as command")),
    h("div", { class: "columns" },
      h("section", {}, choice("First run", names, a, (value) => go(value, b)), views[0].element),
      h("section", {}, choice("Second run", names, b, (value) => go(a, value)), views[1].element),
      h("section", { class: "wide" }, h("h2", {}, "What is different"), changes.length ? table("Settings that differ", ["setting", a, b], changes, { aligned: false }) : h("p", {}, "Their recipes are the same.")),
      ...Object.values(charts).map((chart) => chart.element)));
  const side = (name) => (name === a ? 0 : 1);
  onleave(follow([...new Set([a, b])], {
    onrows: ({ run, rows }) => {
      for (const row of rows) for (const [key, chart] of Object.entries(charts)) if (key in row) chart.add(side(run), row.images, row[key]);
    },
    onrewind: ({ run }) => Object.values(charts).forEach((chart) => chart.clear([side(run)])),
    onframe: ({ run, frame }) => views[side(run)].frame(frame),
    onruns: (list) => views.forEach((view, index) => {
      const run = list.find((each) => each.name === labels[index]);
      if (run) view.state(run);
    }),
  }));
}

function sideOf(run) {
  const view = tiles();
  const state = h("p", {}, stateLabel(run));
  const box = h("div");
  let now = run.state;
  const still = () => {
    const image = h("img", { class: "picture", src: runPath(run.name, `/files/grid.png?at=${Date.now()}`), alt: `The newest grid of samples of ${run.name}` });
    image.addEventListener("load", () => image.classList.toggle("inverted", isGray(image)));
    image.addEventListener("error", () => box.replaceChildren(h("p", { class: "soft" }, "Pictures appear when training has begun.")));
    box.replaceChildren(image);
  };
  still();
  return {
    element: h("div", {}, state, box),
    state: (newer) => {
      state.replaceChildren(stateLabel(newer));
      if (isActive(now) && !isActive(newer.state)) still();
      now = newer.state;
    },
    frame: (frame) => {
      if (!frame?.logits || !isActive(now)) return;
      if (box.firstChild !== view.element) box.replaceChildren(view.element);
      view.show(frame);
    },
  };
}

/** The leaves in which two recipes differ, under their dotted names. */
function differences(one = {}, other = {}) {
  const flat = (value, prefix = "") =>
    value !== null && typeof value === "object" && !Array.isArray(value)
      ? Object.assign({}, ...Object.entries(value).map(([key, item]) => flat(item, prefix ? `${prefix}.${key}` : key)))
      : { [prefix]: value === null ? "none" : typeof value === "object" ? JSON.stringify(value) : String(value) };
  const [left, right] = [flat(one), flat(other)];
  return [...new Set([...Object.keys(left), ...Object.keys(right)])].sort()
    .filter((key) => key !== "notes" && left[key] !== right[key])
    .map((key) => [dotted(key), left[key] ?? "–", right[key] ?? "–"]);
}
