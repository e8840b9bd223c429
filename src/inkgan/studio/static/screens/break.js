// Ways to break a GAN, each with what to look for, beside the same run left whole.

import { get, post } from "../api.js";
import { choice, copy, h, toast } from "../ui.js";

const BASE = { mlp: "vanilla", convolutional: "dcgan" };
const PRESETS = [
  { key: "whole", title: "Left whole", changes: {},
    text: "The recipe as it is, to compare the others with.",
    look: ["Both accuracies stay away from 0 and 1.", "The images change slowly and keep differing from each other."] },
  { key: "minimax", title: "Saturating loss", changes: { "objective.loss": "minimax" },
    text: "The generator minimizes log(1 − D(G(z))), as in the first equation of the GAN paper. Where the discriminator is sure, this loss is flat.",
    look: ["The discriminator’s accuracies rise to 1 and stay there.", "The generator’s loss creeps towards 0 from below while its images stop changing.", "Compare the early images: the non-saturating loss is far ahead."] },
  { key: "strong", title: "A discriminator that is too fast", changes: { "optim.d_lr": 0.002 },
    text: "Its learning rate is ten times the generator’s, so it is always right before the generator has moved.",
    look: ["The discriminator’s loss falls to almost nothing.", "The bars below the images are empty: every real image looks more real.", "The monitor says that the discriminator wins."] },
  { key: "weak", title: "A discriminator that is too slow", changes: { "optim.d_lr": 0.00001 },
    text: "Its learning rate is a twentieth of the generator’s. It cannot follow, and praises whatever comes.",
    look: ["Its accuracy on generated images drops towards 0.", "All images turn alike: the generator has found one weakness and uses it."] },
  { key: "norm", title: "No normalization", changes: { "model.generator.norm": null },
    text: "The generator goes without batch normalization. Its signals shrink or grow from layer to layer.",
    look: ["Images stay gray or blotchy for much longer.", "The images of different latents look alike."] },
  { key: "rate", title: "A learning rate that is too high", changes: { "optim.lr": 0.02 },
    text: "A hundred times the usual rate: every update overshoots.",
    look: ["Losses jump up and down, or become infinite.", "Images turn into hard black and white patterns.", "The monitor reports a collapse, or that weights are lost."] },
  { key: "momentum", title: "Too much momentum", changes: { "optim.beta1": 0.95 },
    text: "Adam averages the gradient over about twenty steps. The two players then answer moves that are long past.",
    look: ["The losses swing, and the swings grow.", "Digits turn into other digits again and again."] },
];

export async function show({ root, settings, keep }) {
  const recipes = await get("/api/recipes");
  let kind = settings.get("networks") in BASE ? settings.get("networks") : "mlp";
  let data = settings.get("data") ?? "uci-digits";
  const cards = h("div", { class: "cards" });
  const request = (preset) => ({
    recipe: BASE[kind],
    name: `${preset.key}-${new Date().toISOString().slice(5, 19).replace(/[-:]/g, "").replace("T", "-")}`,
    overrides: { ...preset.changes, "data.name": data, ...(data === "uci-digits" ? { "data.holdout": 0 } : {}), "schedule.epochs": data === "uci-digits" ? 300 : 20 },
    minutes: 5,
  });
  const draw = () => {
    keep({ networks: kind, data });
    cards.replaceChildren(...PRESETS.filter((preset) => possible(preset)).map(cardOf));
  };
  const possible = (preset) => !("model.generator.norm" in preset.changes) || recipes[BASE[kind]].values.model.generator.norm;

  function cardOf(preset) {
    const start = h("button", { type: "button", class: "main", "aria-label": `Try it: ${preset.title}` }, "Try it");
    start.addEventListener("click", async () => {
      start.disabled = true;
      try {
        const run = await post("/api/runs", request(preset));
        location.hash = `#/live?run=${encodeURIComponent(run.name)}`;
      } catch (error) {
        toast(error.message);
        start.disabled = false;
      }
    });
    const copied = h("button", { type: "button", class: "quiet", "aria-label": `Copy as command: ${preset.title}` }, "Copy as command");
    copied.addEventListener("click", () => post("/api/recipes/check", request(preset)).then((found) => copy(found.command, "Command"), (error) => toast(error.message)));
    return h("section", { "data-preset": preset.key }, h("h2", {}, preset.title), h("p", {}, preset.text), h("p", { class: "soft" }, "What to look for:"), h("ul", {}, preset.look.map((text) => h("li", {}, text))), h("div", { class: "row" }, start, copied));
  }

  root.append(
    h("div", { class: "head" }, h("h1", {}, "Break it"), h("span", { class: "grow" }), h("a", { class: "button", href: "#/compare" }, "Compare two runs"),
      h("p", { class: "soft" }, "GANs fail in a few typical ways. Cause each of them, and learn to see it. Every run stops after five minutes.")),
    h("section", {}, h("div", { class: "columns" },
      choice("Networks", [["mlp", "fully connected (quick)"], ["convolutional", "convolutional"]], kind, (value) => { kind = value; draw(); }),
      choice("Data", [["uci-digits", "uci-digits (small, no download)"], ["mnist", "mnist"]], data, (value) => { data = value; draw(); }))),
    cards);
  cards.style.marginTop = "1rem";
  draw();
}
