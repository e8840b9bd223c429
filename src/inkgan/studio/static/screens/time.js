// All epochs of a run on a slider: the whole grid, or one class and what became of it.

import { get, runPath } from "../api.js";
import { choice, count, empty, h, isGray, named } from "../ui.js";

const GAP = 2; // of the grids, in pixels of the images
const SCALE = 2; // of the grids
const STRIP = 12; // moments side by side

export async function show({ root, settings, keep, onleave }) {
  const { runs } = await get("/api/runs");
  const names = runs.filter((run) => run.recipe).map((run) => run.name);
  if (!names.length) {
    root.append(empty("No run has drawn anything yet.", h("a", { class: "button main", href: "#/train" }, "Train something")));
    return;
  }
  const name = names.includes(settings.get("run")) ? settings.get("run") : names[0];
  const found = await get(runPath(name, "/samples"));
  const head = h("div", { class: "head" }, h("h1", {}, "Through time"), h("p", { class: "soft" }, "The same latents after each grid of samples. Move the slider and follow one digit."));
  const chooseRun = choice("Run", names, name, (value) => (location.hash = `#/time?run=${encodeURIComponent(value)}`));
  root.append(head);
  if (!found.steps.length) {
    root.append(h("section", {}, chooseRun, h("p", {}, "This run has no grid of samples yet.")));
    return;
  }
  const { steps } = found;
  const columns = found.classes > 0 && found.classes <= 16 ? found.classes : 8;
  const start = settings.get("step") === null ? -1 : steps.indexOf(Number(settings.get("step")));
  let place = start < 0 ? steps.length - 1 : start;
  let only = settings.get("class") ?? "";
  const slider = h("input", { type: "range", min: 0, max: steps.length - 1, step: 1 });
  const output = h("output", {}, "");
  const canvas = h("canvas", { role: "img" });
  const strip = h("div", { class: "strip", tabIndex: 0, role: "region", "aria-label": "Moments of the run" });
  const play = h("button", { type: "button" }, "Play");
  const images = new Map();

  const pictureOf = (step) => {
    if (!images.has(step)) {
      const image = new Image();
      image.src = runPath(name, `/samples/${step}`);
      images.set(step, image.decode().then(() => image));
    }
    return images.get(step);
  };

  /** Cut the grid, or one column of it, out of a picture and onto a canvas. */
  function cut(target, image, column, rowsWanted) {
    const side = image.naturalWidth / SCALE;
    const tile = (side - GAP) / columns - GAP;
    const rows = Math.round((image.naturalHeight / SCALE - GAP) / (tile + GAP));
    const shown = Math.min(rows, rowsWanted ?? rows);
    const across = column === null ? columns : 1;
    target.width = across * tile;
    target.height = shown * tile;
    target.style.aspectRatio = `${target.width} / ${target.height}`;
    const context = target.getContext("2d");
    for (let row = 0; row < shown; row++) {
      for (let at = 0; at < across; at++) {
        const from = column === null ? at : column;
        context.drawImage(image, (GAP + from * (tile + GAP)) * SCALE, (GAP + row * (tile + GAP)) * SCALE, tile * SCALE, tile * SCALE, at * tile, row * tile, tile, tile);
      }
    }
  }

  let turn = 0;
  async function draw() {
    const mine = ++turn;
    const step = steps[place];
    slider.value = place;
    const seen = step * found.images_per_step;
    output.textContent = `${count(seen)} images`;
    slider.setAttribute("aria-valuetext", output.textContent);
    keep({ run: name, step, class: only });
    try {
      const image = await pictureOf(step);
      if (mine !== turn) return;
      cut(canvas, image, only === "" ? null : Number(only));
      for (const part of [paper, below]) part.classList.toggle("paper-ink", isGray(image));
      canvas.setAttribute("aria-label", `Samples after ${count(seen)} images`);
    } catch {
      output.textContent = "this grid is gone";
    }
  }

  /** Show one class, or the first column, at moments over the whole run. */
  async function drawStrip() {
    const chosen = [...new Set(Array.from({ length: Math.min(STRIP, steps.length) }, (_, at) => Math.round((at * (steps.length - 1)) / Math.max(1, Math.min(STRIP, steps.length) - 1))))];
    const parts = await Promise.all(chosen.map(async (at) => {
      const target = h("canvas", { role: "img", "aria-label": `After ${count(steps[at] * found.images_per_step)} images` });
      cut(target, await pictureOf(steps[at]), only === "" ? 0 : Number(only), 3);
      return h("figure", { class: "tile" }, target, h("figcaption", {}, count(steps[at] * found.images_per_step)));
    }));
    strip.replaceChildren(...parts);
  }

  let timer = null;
  const stop = () => {
    clearInterval(timer);
    timer = null;
    play.textContent = "Play";
  };
  play.addEventListener("click", () => {
    if (timer) return stop();
    if (place === steps.length - 1) place = 0;
    play.textContent = "Pause";
    timer = setInterval(() => {
      place = Math.min(place + 1, steps.length - 1);
      draw();
      if (place === steps.length - 1) stop();
    }, 250);
    draw();
  });
  onleave(stop);
  slider.addEventListener("input", () => {
    stop();
    place = slider.valueAsNumber;
    draw();
  });
  const options = [["", "all"], ...Array.from({ length: columns }, (_, at) => [String(at), found.classes ? `class ${at}` : `column ${at + 1}`])];
  const chooseClass = choice(found.classes ? "Digit" : "Column", options, only, (value) => {
    only = value;
    draw();
    drawStrip().catch(() => {});
  });
  canvas.style.width = "100%";
  canvas.style.maxWidth = "36rem";
  const paper = h("section", { class: "tile" }, canvas);
  const below = h("section", { class: "wide" }, h("h2", {}, found.classes ? "What became of it" : "What became of the first column"), strip);
  root.append(
    h("div", { class: "columns" },
      h("section", {}, chooseRun, chooseClass, h("div", { class: "field slider" }, h("label", { for: named(slider) }, "Moment"), output, slider), h("div", { class: "row" }, play, h("a", { class: "button", href: `#/live?run=${encodeURIComponent(name)}` }, "Watch it live"))),
      paper, below));
  await draw();
  drawStrip().catch(() => {});
}
