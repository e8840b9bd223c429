// The fixed latents of a run, a small picture each, with the discriminator's rating below.

import { fixed, h, isGray, percent, table } from "./ui.js";

/** Tiles that are drawn again with each frame of a run. */
export function tiles() {
  const grid = h("div", { class: "tiles" });
  const behind = h("div");
  const details = h("details", { hidden: true, ontoggle: () => showTable() }, h("summary", {}, "As a table"), behind);
  const element = h("div", {}, grid, details);
  let newest = null;
  let loading = false;
  let shown = [];

  function prepare(frame) {
    const amount = frame.logits.length;
    if (shown.length === amount) return;
    grid.style.setProperty("--columns", frame.columns);
    shown = frame.logits.map(() => {
      const canvas = h("canvas", { width: frame.tile[0], height: frame.tile[1], role: "img" });
      const bar = h("i");
      return { canvas, bar, element: h("figure", { class: "tile" }, canvas, h("span", { class: "bar", "aria-hidden": "true" }, bar)) };
    });
    grid.replaceChildren(...shown.map((tile) => tile.element));
    details.hidden = false;
  }

  function describe(frame, index) {
    const label = frame.labels ? `${frame.labels[index]}` : `Image ${index + 1}`;
    return `${label}, rated above ${percent(frame.realism[index])} of real images`;
  }

  function paint(frame, image) {
    prepare(frame);
    grid.classList.toggle("paper-ink", isGray(image));
    const [wide, high] = frame.tile;
    shown.forEach(({ canvas, bar }, index) => {
      const [column, row] = [index % frame.columns, Math.floor(index / frame.columns)];
      canvas.getContext("2d").drawImage(image, column * wide, row * high, wide, high, 0, 0, wide, high);
      canvas.setAttribute("aria-label", describe(frame, index));
      bar.style.width = `${100 * (frame.realism[index] ?? 0)}%`;
    });
    showTable();
  }

  function showTable() {
    if (!details.open || !newest) return;
    const rows = newest.logits.map((logit, index) => [newest.labels ? newest.labels[index] : index + 1, fixed(logit), percent(newest.realism[index])]);
    behind.replaceChildren(table("What the discriminator believes", [newest.labels ? "class" : "image", "logit", "real images rated lower"], rows));
  }

  /** Show a frame; while a picture is loading, only the newest of the next ones counts. */
  async function show(frame) {
    if (!frame?.logits) return;
    newest = frame;
    if (loading) return;
    loading = true;
    try {
      while (newest) {
        const mine = newest;
        const image = new Image();
        image.src = `data:image/png;base64,${mine.picture}`;
        await image.decode();
        paint(mine, image);
        element.dataset.number = mine.number;
        if (newest === mine) break;
      }
    } catch {
      // the picture was replaced meanwhile, or the run has begun again
    } finally {
      loading = false;
    }
  }
  return { element, show };
}
