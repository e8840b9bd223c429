// A new run: a recipe, five sliders with what each changes, and the same as a command.

import { get, post } from "../api.js";
import { choice, copyButtons, h, named, toast, withCode } from "../ui.js";

const SLIDERS = [
  { key: "lr", field: "optim.lr", title: "Learning rate", log: true, low: 1e-5, high: 1e-2,
    text: "How far each update moves the weights. Too high: losses jump and images stay noise. Too low: nothing seems to happen." },
  { key: "ratio", field: "optim.d_lr", title: "Discriminator’s pace", log: true, low: 0.125, high: 8,
    text: "Its learning rate as a multiple of the generator’s. Much faster: it wins and its gradient teaches nothing. Much slower: it praises everything." },
  { key: "batch", field: "schedule.batch_size", title: "Batch size", powers: true, low: 8, high: 1024,
    text: "Images in one update. Large batches give steadier gradients and fewer updates in the same time." },
  { key: "latent", field: "model.latent_dim", title: "Latent numbers", powers: true, low: 4, high: 512,
    text: "How many random numbers an image is drawn from. Few: little variety. Many cost nearly nothing." },
  { key: "dropout", field: "model.discriminator.dropout", title: "Dropout in the discriminator", low: 0, high: 0.8, step: 0.05,
    text: "The share of its features that are hidden at random. It holds back a discriminator that is too strong." },
];

const read = (values, field) => field.split(".").reduce((value, key) => value?.[key], values);

export async function show({ root, settings, keep }) {
  const recipes = await get("/api/recipes");
  const names = Object.keys(recipes);
  const wanted = {
    recipe: recipes[settings.get("recipe")] ? settings.get("recipe") : "flagship-quick",
    minutes: settings.get("minutes") ?? "5",
    data: settings.get("data") ?? "",
    loss: settings.get("loss") ?? "",
    name: settings.get("name") ?? "",
    sliders: Object.fromEntries(SLIDERS.map(({ key }) => [key, settings.has(key) ? Number(settings.get(key)) : null])),
  };
  let texts = {};
  const notes = h("p", { class: "soft" });
  const sliders = h("div");
  const problem = h("p", { class: "wrong", role: "alert" });
  const preview = h("pre", { tabIndex: 0, "aria-label": "The same as a command" });
  const start = h("button", { type: "button", class: "main" }, "Start training");
  const nameField = h("input", { value: wanted.name, maxLength: 64, autocomplete: "off", spellcheck: false, placeholder: "chosen for you" });
  const minutesField = h("input", { type: "number", min: 0.1, max: 10000, step: "any", value: wanted.minutes });

  const current = () => recipes[wanted.recipe].values;
  const has = (slider) => read(current(), slider.field) !== undefined;
  const initial = (slider) => (slider.key === "ratio" ? (current().optim.d_lr ?? current().optim.lr) / current().optim.lr : read(current(), slider.field));
  const valueOf = (slider) => wanted.sliders[slider.key] ?? initial(slider);

  function overrides() {
    const changes = {};
    for (const slider of SLIDERS) {
      if (!has(slider) || wanted.sliders[slider.key] === null) continue;
      const value = wanted.sliders[slider.key];
      changes[slider.field] = slider.key === "ratio" ? Number((value * (changes["optim.lr"] ?? current().optim.lr)).toPrecision(4)) : value;
    }
    // the rate of the discriminator follows that of the generator unless its pace was chosen
    if (changes["optim.lr"] && !changes["optim.d_lr"] && current().optim.d_lr) changes["optim.d_lr"] = Number(((current().optim.d_lr / current().optim.lr) * changes["optim.lr"]).toPrecision(4));
    if (wanted.data) changes["data.name"] = wanted.data;
    if (wanted.data === "uci-digits") changes["data.holdout"] = 0;
    if (wanted.data.startsWith("folder:")) Object.assign(changes, { "data.size": 28, "data.channels": 1 });
    if (wanted.loss) changes["objective.loss"] = wanted.loss;
    return changes;
  }

  const free = () => `${wanted.recipe}-${new Date().toISOString().slice(5, 19).replace(/[-:]/g, "").replace("T", "-")}`;
  const request = () => ({ recipe: wanted.recipe, name: nameField.value.trim() || free(), overrides: overrides(), minutes: Number(minutesField.value) || null, fallback: !wanted.data && recipes[wanted.recipe].data === "mnist" ? "uci-digits" : null });

  let turn = 0;
  async function check() {
    const mine = ++turn;
    keep({ recipe: wanted.recipe, minutes: minutesField.value, data: wanted.data, loss: wanted.loss, name: nameField.value, ...wanted.sliders });
    try {
      const found = await post("/api/recipes/check", request());
      if (mine !== turn) return;
      texts = found;
      preview.textContent = found.command;
      problem.textContent = "";
      start.disabled = false;
    } catch (error) {
      if (mine !== turn) return;
      problem.textContent = error.message;
      start.disabled = true;
    }
  }

  function drawSliders() {
    notes.replaceChildren(...withCode(recipes[wanted.recipe].notes));
    sliders.replaceChildren(...SLIDERS.filter(has).map((slider) => sliderOf(slider, valueOf(slider), (value) => {
      wanted.sliders[slider.key] = value;
      check();
    })));
  }

  start.addEventListener("click", async () => {
    start.disabled = true;
    try {
      const run = await post("/api/runs", request());
      location.hash = `#/live?run=${encodeURIComponent(run.name)}`;
    } catch (error) {
      toast(error.message);
      problem.textContent = error.message;
      start.disabled = false;
    }
  });
  nameField.addEventListener("input", check);
  minutesField.addEventListener("input", check);

  const losses = ["non-saturating", "minimax", "least-squares", "hinge", "wasserstein", "relativistic"];
  const sets = [["", "as in the recipe"], ["mnist", "mnist"], ["fashion-mnist", "fashion-mnist"], ["kmnist", "kmnist"], ["uci-digits", "uci-digits (small, no download)"]];
  if (!sets.some(([key]) => key === wanted.data)) sets.push([wanted.data, wanted.data.replace(/^folder:.*\//, "your set ")]);
  root.append(
    h("div", { class: "head" }, h("h1", {}, "Train"), h("p", { class: "soft" }, "Choose a recipe, change what you like, and watch what happens.")),
    h("div", { class: "columns" },
      h("section", {}, h("h2", {}, "Recipe"),
        choice("Recipe", names, wanted.recipe, (value) => {
          wanted.recipe = value;
          for (const { key } of SLIDERS) wanted.sliders[key] = null;
          drawSliders();
          check();
        }), notes,
        choice("Data", sets, wanted.data, (value) => { wanted.data = value; check(); }),
        choice("Loss", [["", "as in the recipe"], ...losses.map((each) => [each, each])], wanted.loss, (value) => { wanted.loss = value; check(); }),
        h("div", { class: "field" }, h("label", { for: named(minutesField) }, "Minutes at most"), minutesField),
        h("div", { class: "field" }, h("label", { for: named(nameField) }, "Name of the run"), nameField, h("small", {}, "Letters, digits, dot, - and _."))),
      h("section", {}, h("h2", {}, "What you can change"), sliders,
        h("button", { type: "button", onclick: () => { for (const { key } of SLIDERS) wanted.sliders[key] = null; drawSliders(); check(); } }, "Back to the recipe’s values"))),
    h("section", { class: "wide" }, h("h2", {}, "The same without the studio"), preview, copyButtons(() => texts), problem, start),
  );
  root.lastElementChild.style.marginTop = "1rem";
  drawSliders();
  await check();
}

function sliderOf(slider, value, onchange) {
  const isLog = slider.log || slider.powers;
  const [to, from] = isLog ? [Math.log2, (x) => 2 ** x] : [(x) => x, (x) => x];
  const round = (x) => (slider.powers ? Math.round(x) : Number(x.toPrecision(2)));
  const shown = (x) => (slider.key === "ratio" ? `${round(x)} ×` : String(round(x)));
  const step = slider.powers ? 1 : slider.log ? 0.25 : slider.step;
  const [low, high] = [Math.min(to(slider.low), to(value)), Math.max(to(slider.high), to(value))];
  const input = h("input", { type: "range", min: low, max: high, step: slider.powers ? "any" : step });
  input.value = to(value);
  const output = h("output", {}, shown(value));
  const hint = h("small", {}, slider.text);
  const snapped = () => (slider.powers ? 2 ** Math.round(input.valueAsNumber) : round(from(input.valueAsNumber)));
  if (slider.powers) input.step = "1";
  input.setAttribute("aria-valuetext", shown(value));
  input.setAttribute("aria-describedby", named(hint));
  input.addEventListener("input", () => {
    output.textContent = shown(snapped());
    input.setAttribute("aria-valuetext", shown(snapped()));
  });
  input.addEventListener("change", () => onchange(snapped()));
  return h("div", { class: "field slider" }, h("label", { for: named(input) }, slider.title), output, input, hint);
}
