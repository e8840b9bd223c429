// Playing with a generator: it writes, it imitates what is drawn, and the discriminator gives its opinion.

import { get, post, runPath } from "../api.js";
import { choice, copy, empty, fixed, h, percent, toast } from "../ui.js";

const PAD = 280; // pixels of the drawing pad on a side
const BRUSH = 20;
const BOX = 20 / 28; // of the image, into which the longer side of a drawing is scaled, as in MNIST

export async function show({ root, settings, keep }) {
  const { runs } = await get("/api/runs");
  const names = runs.filter((run) => run.has_generator).map((run) => run.name);
  if (!names.length) {
    root.append(empty("Only a run that has ended, or was stopped, has a generator to play with.", h("a", { class: "button main", href: "#/train" }, "Train one")));
    return;
  }
  const name = names.includes(settings.get("run")) ? settings.get("run") : names[0];
  let label = settings.get("label") ?? "3";
  const remember = () => keep({ run: name, label });
  remember();
  const heading = h("div", { class: "head" }, h("h1", {}, "Play"), h("p", { class: "soft" }, "Handwritings, sliders, numbers; and draw a digit yourself."));
  const chooseRun = choice("Run", names, name, (value) => (location.hash = `#/play?run=${encodeURIComponent(value)}`));
  const waiting = h("p", { role: "status" }, "Loading the generator …");
  root.append(heading, h("section", {}, chooseRun, waiting));
  const { shape, classes } = await get(runPath(name, "/play"));
  waiting.remove();
  if (shape[0] !== 1) {
    root.append(empty("This generator draws in color; the pad and the page are for gray images."));
    return;
  }
  const [, high, wide] = shape;
  const pad = padOf();
  const status = h("p", { class: "sentence", role: "status" }, "Draw with a mouse, a pen or a finger.");
  const said = { "/imitation": "", "/opinion": "" }; // of the same drawing
  let judged = "";
  const seen = canvasOf("What the networks see", wide, high);
  const nearest = canvasOf("The nearest that the generator draws", wide, high);
  const heat = canvasOf("Where more ink looks more real (blue), or less (orange)", wide, high);
  const imitate = h("button", { type: "button", class: "main" }, "Imitate it");
  const judge = h("button", { type: "button" }, "Ask the discriminator");
  const drawing = () => ({ pixels: pad.pixels(wide, high), label: classes.length ? Math.max(0, classes.indexOf(label)) : 0 });

  async function ask(path, button, doing, done) {
    const wanted = drawing();
    if (!wanted.pixels) return toast("Draw something first.");
    paint(seen.canvas, wanted.pixels, wide, high);
    if (JSON.stringify(wanted) !== judged) for (const key of Object.keys(said)) said[key] = "";
    judged = JSON.stringify(wanted);
    for (const each of [imitate, judge]) each.disabled = true;
    status.textContent = doing;
    try {
      said[`/${path}`] = done(await post(runPath(name, `/play/${path}`), wanted));
      status.textContent = Object.values(said).filter(Boolean).join(" ");
    } catch (error) {
      status.textContent = error.message;
    }
    for (const each of [imitate, judge]) each.disabled = false;
    button.focus();
  }
  imitate.addEventListener("click", () => ask("imitation", imitate, "Looking for the nearest image …", (found) => {
    paint(nearest.canvas, found.pixels, wide, high);
    root.dataset.imitated = found.error;
    return `The nearest image differs by ${fixed(found.error, 3)} (root mean square, 1 is full ink). ${found.error > 0.08 ? "That is more than for nearly all digits of MNIST." : "That is as near as for digits of MNIST."}`;
  }));
  judge.addEventListener("click", () => ask("opinion", judge, "The discriminator looks …", (found) => {
    warm(heat.canvas, found.gradient, wide, high);
    root.dataset.judged = found.logit;
    return `Logit of the discriminator ${fixed(found.logit, 2)}: it finds your drawing more real than ${percent(found.rank)} of the generator’s own images (mean ${fixed(found.own, 2)}).`;
  }));

  const chooseLabel = classes.length ? choice("It shows", classes, label, (value) => { label = value; remember(); }) : null;
  root.lastElementChild.style.marginBottom = "1rem";
  const page = h("iframe", { class: "report", src: runPath(name, "/play/page"), title: `The generator of ${name}`, sandbox: "allow-scripts allow-downloads" });
  root.append(
    h("div", { class: "columns" },
      h("section", {}, h("h2", {}, "Draw"), pad.canvas, chooseLabel,
        h("div", { class: "row" }, imitate, judge, h("button", { type: "button", onclick: () => pad.clear() }, "Clear"), h("button", { type: "button", title: "For those who cannot draw here", onclick: () => pad.example() }, "Draw a 7 for me"))),
      h("section", {}, h("h2", {}, "What they make of it"), status, h("div", { class: "tiles paper-ink", id: "made" }, seen.element, nearest.element, heat.element))),
    h("section", { class: "wide" }, h("div", { class: "head" }, h("h2", {}, "Let it write"), h("span", { class: "grow" }),
      h("button", { type: "button", class: "quiet", onclick: () => copy(`inkgan export page ${name} page.html`, "Command") }, "Copy as command")), page));
  root.lastElementChild.style.marginTop = "1rem";
  root.querySelector("#made").style.setProperty("--columns", 3);
}

function canvasOf(text, wide, high) {
  const canvas = h("canvas", { width: wide, height: high, role: "img", "aria-label": text });
  return { canvas, element: h("figure", { class: "tile" }, canvas, h("figcaption", { class: "soft" }, text)) };
}

/** The pad: ink on a canvas, and the same brought into the form of MNIST. */
function padOf() {
  const canvas = h("canvas", { width: PAD, height: PAD, role: "img", "aria-label": "Drawing pad", class: "pad" });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  let last = null;
  Object.assign(context, { lineWidth: BRUSH, lineCap: "round", lineJoin: "round", strokeStyle: "#000" });
  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * PAD, ((event.clientY - box.top) / box.height) * PAD];
  };
  const line = (from, to) => {
    context.beginPath();
    context.moveTo(...from);
    context.lineTo(...to);
    context.stroke();
  };
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    last = at(event);
    line(last, last);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!last) return;
    for (const each of event.getCoalescedEvents?.() ?? [event]) {
      const next = at(each);
      line(last, next);
      last = next;
    }
  });
  for (const kind of ["pointerup", "pointercancel"]) canvas.addEventListener(kind, () => (last = null));
  const clear = () => context.clearRect(0, 0, PAD, PAD);

  /** The ink as gray levels, its longer side scaled and its mass in the middle; null without ink. */
  function pixels(wide, high) {
    const { data } = context.getImageData(0, 0, PAD, PAD);
    let [left, top, right, bottom, mass, x0, y0] = [PAD, PAD, 0, 0, 0, 0, 0];
    for (let y = 0; y < PAD; y++) {
      for (let x = 0; x < PAD; x++) {
        const ink = data[4 * (y * PAD + x) + 3];
        if (!ink) continue;
        [left, top, right, bottom] = [Math.min(left, x), Math.min(top, y), Math.max(right, x + 1), Math.max(bottom, y + 1)];
        mass += ink;
        x0 += ink * (x + 0.5);
        y0 += ink * (y + 0.5);
      }
    }
    if (!mass) return null;
    const scale = (BOX * Math.min(wide, high)) / Math.max(right - left, bottom - top);
    const small = h("canvas", { width: wide, height: high });
    const target = small.getContext("2d");
    target.imageSmoothingQuality = "high";
    target.drawImage(canvas, wide / 2 - (scale * x0) / mass, high / 2 - (scale * y0) / mass, scale * PAD, scale * PAD);
    const levels = target.getImageData(0, 0, wide, high).data;
    return Array.from({ length: wide * high }, (_, place) => levels[4 * place + 3]);
  }

  function example() {
    clear();
    const points = [[80, 70], [140, 66], [200, 70], [170, 120], [145, 170], [130, 222]];
    points.slice(1).forEach((point, index) => line(points[index], point));
  }
  return { canvas, clear, pixels, example };
}

/** Show gray levels, light on dark; a style turns them into ink on paper. */
function paint(canvas, levels, wide, high) {
  const image = new ImageData(wide, high);
  levels.forEach((level, place) => image.data.set([level, level, level, 255], 4 * place));
  canvas.getContext("2d").putImageData(image, 0, 0);
}

/** Show a gradient: its sign as a color, its size as the strength. The style inverts it again. */
function warm(canvas, gradient, wide, high) {
  const image = new ImageData(wide, high);
  const [up, down] = [[36, 89, 196], [200, 96, 20]];
  gradient.forEach((value, place) => {
    const strength = Math.abs(value);
    image.data.set([...(value > 0 ? up : down).map((level) => Math.round(255 - strength * (255 - level))), 255], 4 * place);
  });
  canvas.classList.add("colored");
  canvas.getContext("2d").putImageData(image, 0, 0);
}
