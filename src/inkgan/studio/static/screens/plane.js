// Lesson 0: a GAN in the plane, trained here in the browser.

import { lineChart } from "../chart.js";
import { DATA, Game } from "../plane.js";
import { choice, count, h, named, percent } from "../ui.js";

const FIELD = 48; // squares on a side, of the discriminator's belief
const REACH = 1.15; // of the plane that is shown, from its middle
const ARROWS = 40; // points that show how the generator's loss would move them
const MOST_STEPS = 40; // between two pictures

export function show({ root, settings, keep, onleave }) {
  const chosen = {
    data: settings.get("data") in DATA ? settings.get("data") : "ring",
    loss: settings.get("loss") === "minimax" ? "minimax" : "non-saturating",
    latent: clamp(settings.get("latent"), 1, 16, 2), rateG: clamp(settings.get("rateG"), 1e-5, 0.1, 1e-3), rateD: clamp(settings.get("rateD"), 1e-5, 0.1, 1e-3),
    seed: clamp(settings.get("seed"), 0, 1e6, 1),
  };
  let game = null;
  let speed = 5;
  const canvas = h("canvas", { role: "img", width: 624, height: 624 });
  const losses = lineChart("Losses", ["discriminator", "generator"], { unit: "steps" });
  const facts = h("p", { class: "sentence", role: "status" });
  const toggle = h("button", { type: "button", class: "main" }, "Train");
  let isRunning = false;
  let handle = 0;

  function restart() {
    keep(chosen);
    game = new Game(chosen);
    losses.clear();
    draw();
  }

  function steps(wanted) {
    for (let at = 0; at < wanted; at++) {
      game.train();
      if (game.step % 20 === 0) {
        losses.add(0, game.step, game.losses.d);
        losses.add(1, game.step, game.losses.g);
      }
    }
    draw();
  }

  function frame() {
    steps(speed);
    handle = requestAnimationFrame(frame);
  }

  function run(on) {
    isRunning = on;
    toggle.textContent = on ? "Pause" : "Train";
    cancelAnimationFrame(handle);
    if (on) handle = requestAnimationFrame(frame);
  }

  const colors = () => {
    const style = getComputedStyle(document.documentElement);
    return Object.fromEntries(["ink", "soft", "paper", "accent", "other"].map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
  };

  function draw() {
    const context = canvas.getContext("2d");
    const { width: size } = canvas;
    const color = colors();
    const at = (value) => ((value + REACH) / (2 * REACH)) * size;
    const field = new Float64Array(2 * FIELD * FIELD);
    for (let y = 0; y < FIELD; y++) {
      for (let x = 0; x < FIELD; x++) {
        field[2 * (y * FIELD + x)] = -REACH + (2 * REACH * (x + 0.5)) / FIELD;
        field[2 * (y * FIELD + x) + 1] = REACH - (2 * REACH * (y + 0.5)) / FIELD;
      }
    }
    const side = size / FIELD;
    context.globalAlpha = 1;
    context.fillStyle = color.paper;
    context.fillRect(0, 0, size, size);
    game.belief(field).forEach((belief, place) => {
      context.fillStyle = belief > 0.5 ? color.accent : color.other;
      context.globalAlpha = Math.min(0.6, 1.6 * Math.abs(belief - 0.5));
      context.fillRect((place % FIELD) * side, Math.floor(place / FIELD) * side, side, side);
    });
    const dots = (points, radius, fill, alpha) => {
      context.fillStyle = fill;
      context.globalAlpha = alpha;
      for (let i = 0; i < points.length; i += 2) {
        context.beginPath();
        context.arc(at(points[i]), size - at(points[i + 1]), radius, 0, 7);
        context.fill();
      }
    };
    dots(game.real, 3.5, color.soft, 0.55);
    const drawn = game.drawn();
    const some = drawn.slice(0, 2 * ARROWS);
    const pull = game.pull(some);
    context.strokeStyle = color.ink;
    context.globalAlpha = 0.5;
    context.lineWidth = 1.5;
    for (let i = 0; i < some.length; i += 2) {
      const length = Math.hypot(pull[i], pull[i + 1]);
      if (length < 1e-9) continue;
      const scale = Math.min(0.08 * length, 0.22) / length;
      context.beginPath();
      context.moveTo(at(some[i]), size - at(some[i + 1]));
      context.lineTo(at(some[i] + scale * pull[i]), size - at(some[i + 1] + scale * pull[i + 1]));
      context.stroke();
    }
    dots(drawn, 4, color.ink, 0.9);
    context.globalAlpha = 1;
    const { modes, of, share } = game.coverage();
    const text = `Step ${count(game.step)}: ${modes} of ${of} Gaussians found, ${percent(share)} of the points are near one.`;
    facts.textContent = text;
    canvas.setAttribute("aria-label", `The plane. ${text}`);
    root.dataset.step = game.step;
  }

  const slider = (label, key, text) => {
    const input = h("input", { type: "range", min: -5, max: -1, step: 0.25 });
    input.value = Math.log10(chosen[key]);
    const output = h("output", {}, short(chosen[key]));
    input.setAttribute("aria-valuetext", short(chosen[key]));
    input.addEventListener("input", () => {
      chosen[key] = 10 ** input.valueAsNumber;
      game[key] = chosen[key];
      output.textContent = short(chosen[key]);
      input.setAttribute("aria-valuetext", short(chosen[key]));
      keep(chosen);
    });
    return h("div", { class: "field slider" }, h("label", { for: named(input) }, label), output, input, h("small", {}, text));
  };

  toggle.addEventListener("click", () => run(!isRunning));
  onleave(() => run(false));
  const speeds = [["1", "one step a picture"], ["5", "5 steps a picture"], [String(MOST_STEPS), `${MOST_STEPS} steps a picture`]];
  root.append(
    h("div", { class: "head" }, h("h1", {}, "Lesson 0: a GAN in the plane"), h("p", { class: "soft" }, "Before digits: points. The generator turns random numbers into points and should learn where the real ones lie. Everything is computed in this page.")),
    h("div", { class: "columns" },
      h("section", {}, canvas, h("ul", { class: "legend" }, h("li", {}, "faint dots: real points"), h("li", {}, "strong dots: generated points, and where they are pulled"), h("li", {}, "blue: the discriminator says real, orange: generated"))),
      h("div", { class: "stack" },
        h("section", {}, h("div", { class: "row" }, toggle, h("button", { type: "button", onclick: () => { run(false); steps(1); } }, "Single step"), h("button", { type: "button", onclick: () => { restart(); } }, "Start again")), h("p", {}), facts),
        h("section", {},
          choice("Data", Object.entries(DATA).map(([key, { title }]) => [key, title]), chosen.data, (value) => { chosen.data = value; restart(); }),
          choice("Loss of the generator", [["non-saturating", "non-saturating: −log D(G(z))"], ["minimax", "saturating: log(1 − D(G(z)))"]], chosen.loss, (value) => { chosen.loss = value; game.loss = value; keep(chosen); }),
          slider("Learning rate of the generator", "rateG", "Too high: the points jump from one Gaussian to the next together."),
          slider("Learning rate of the discriminator", "rateD", "Too high: it is sure everywhere, and the pull on the points vanishes. Too low: it lags behind, and the points run in circles."),
          choice("Latent numbers", ["1", "2", "4", "16"], String(chosen.latent), (value) => { chosen.latent = Number(value); restart(); }),
          choice("Speed", speeds, "5", (value) => { speed = Number(value); })),
        losses.element)),
    h("section", { class: "wide" }, h("h2", {}, "What to look for"), h("ul", {},
      h("li", {}, "Mode collapse: all generated points gather on few Gaussians, although the discriminator is only half fooled. Try the grid, or one latent number."),
      h("li", {}, "Oscillation: the points leave a Gaussian as soon as the discriminator has found out, and come back later."),
      h("li", {}, "Saturation: with the saturating loss and a fast discriminator the pull disappears, and nothing moves."))));
  root.lastElementChild.style.marginTop = "1rem";
  canvas.style.width = "100%";
  restart();
}

const short = (value) => String(Number(value.toPrecision(2)));
const clamp = (text, low, high, otherwise) => {
  const value = Number(text);
  return text !== null && Number.isFinite(value) ? Math.min(Math.max(value, low), high) : otherwise;
};
