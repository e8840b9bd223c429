// A run while it trains: what it draws, how the losses go, what the health monitor says.

import { act, follow, get, runPath } from "../api.js";
import { lineChart } from "../chart.js";
import { tiles } from "../tiles.js";
import { copyButtons, count, duration, empty, h, isActive, isGray, percent, stateLabel, toast } from "../ui.js";

export async function show({ root, settings, keep, onleave }) {
  const { runs } = await get("/api/runs");
  const name = settings.get("run") ?? (runs.find((run) => isActive(run.state)) ?? runs[0])?.name;
  if (!name) {
    root.append(empty("Nothing to watch yet.", h("a", { class: "button main", href: "#/train" }, "Train something")));
    return;
  }
  keep({ run: name });
  let details = await get(runPath(name));
  const parts = partsOf(name, details, (run) => onruns([run]));
  root.append(parts.head, h("div", { class: "columns" }, h("div", { class: "stack" }, parts.picture, parts.words), h("div", { class: "stack" }, parts.losses.element, parts.accuracies.element, parts.distance.element)), parts.about);

  let last = null;
  let health = null;
  const refresh = (run) => {
    parts.update(run, last, health);
    root.dataset.state = run.state;
  };
  const onrows = ({ rows }) => {
    for (const row of rows) {
      if ("d_loss" in row) {
        last = row;
        parts.losses.add(0, row.images, row.d_loss);
        parts.losses.add(1, row.images, row.g_loss);
        parts.accuracies.add(0, row.images, row.d_real_accuracy);
        parts.accuracies.add(1, row.images, row.d_fake_accuracy);
      }
      if ("e3_distance" in row) parts.distance.add(0, row.images, row.e3_distance);
      if ("health" in row) health = row;
    }
    root.dataset.images = last?.images ?? 0;
    refresh(details);
  };
  const onruns = (list) => {
    const run = list.find((each) => each.name === name);
    if (!run) return;
    const hasEnded = isActive(details.state) && !isActive(run.state);
    details = { ...details, ...run };
    refresh(details);
    if (hasEnded) get(runPath(name)).then((newer) => { details = newer; parts.ended(newer); refresh(newer); }, () => {});
  };
  const onrewind = () => {
    [last, health] = [null, null];
    for (const chart of [parts.losses, parts.accuracies, parts.distance]) chart.clear();
  };
  refresh(details);
  onleave(follow([name], { onrows, onruns, onrewind, onframe: ({ frame }) => isActive(details.state) && parts.frame(frame) }));
  const onkey = (event) => {
    if (event.target.closest("input, select, textarea, button, a, summary") || event.ctrlKey || event.metaKey || event.altKey) return;
    if (![" ", "."].includes(event.key) || !["training", "pausing", "paused"].includes(details.state)) return;
    event.preventDefault();
    parts.act(() => (event.key === "." ? "step" : details.state === "training" ? "pause" : "resume"));
  };
  document.addEventListener("keydown", onkey);
  onleave(() => document.removeEventListener("keydown", onkey));
}

function partsOf(name, details, onchange) {
  const losses = lineChart("Losses", ["discriminator", "generator"], { hint: "They need not fall: each player’s loss depends on the other’s strength. What matters is that neither runs away." });
  const accuracies = lineChart("What the discriminator gets right", ["real images", "generated images"], { share: true, hint: "At 1 it tells everything apart, at 0.5 it guesses. A generator learns most in between." });
  const distance = lineChart("Distance to real images", ["averaged generator"], { hint: "Fréchet distance on features, at each evaluation. Lower is better." });
  const view = tiles();
  const box = h("div", {}, view.element);
  const state = h("span");
  const bar = h("progress", { max: 1, value: 0, "aria-label": "Progress" });
  const facts = h("dl", { class: "facts" });
  const sentence = h("p", { class: "sentence", role: "status" });
  const trouble = h("div");
  const hint = h("p", { class: "soft" });
  const buttons = h("div", { class: "row" });
  let acting = Promise.resolve();
  /** Do what is chosen when all that was asked for before is done, so that quick keys keep their order. */
  const doAct = (choose) => {
    acting = acting.then(() => act(name, choose())).then(onchange).catch((error) => toast(error.message));
  };
  const button = (action, text, properties = {}) => h("button", { type: "button", "data-action": action, onclick: () => doAct(() => action), ...properties }, text);
  const all = {
    pause: button("pause", "Pause", { title: "Space" }), resume: button("resume", "Resume", { class: "main", title: "Space" }),
    step: button("step", "Single step", { title: "One update of both networks (key: .)" }), stop: button("stop", "Stop", { title: "Everything is saved; the run can be resumed" }),
    cancel: button("cancel", "Cancel"), end: button("end", "End at once", { title: "Kills the process; the run goes on from its last checkpoint" }),
  };
  buttons.append(...Object.values(all));
  const files = h("div", { class: "row" });
  const showFiles = (newer) => {
    const shown = { "generator.safetensors": "Download the generator", "metrics.jsonl": "Download the metrics", "timeline.gif": "Download the time-lapse" };
    files.replaceChildren(...Object.entries(shown).filter(([file]) => file in newer.files).map(([file, text]) => h("a", { class: "button", href: runPath(name, `/files/${file}?download=true`), download: `${name}-${file}` }, text)));
  };
  showFiles(details);
  const head = h("div", { class: "head" }, h("h1", {}, name), state, h("span", { class: "grow" }), buttons);
  const picture = h("section", {}, h("h2", {}, "What the generator draws"), box, hint);
  const words = h("section", {}, bar, facts, sentence, trouble);
  const about = h("section", {}, h("h2", {}, "This run"), files, copyButtons(() => details), h("details", {}, h("summary", {}, "Recipe"), h("pre", { tabIndex: 0 }, details.toml ?? "")));
  about.style.marginTop = "1rem";

  let hasFrame = false;
  const frame = (document) => {
    hasFrame = Boolean(document?.logits);
    if (hasFrame) hint.textContent = "The same latents, drawn again as training goes on. The bar below an image says what share of real images the discriminator finds less real: half is as good as real.";
    return view.show(document);
  };

  /** Show the grid of a run that has ended in place of the last live picture. */
  function ended(run) {
    hasFrame = false;
    showFiles(run);
  }

  function update(run, last, health) {
    state.replaceChildren(stateLabel(run));
    const can = {
      pause: run.state === "training", resume: ["paused", "pausing", "stopped", "failed", "crashed", "complete"].includes(run.state) && run.state !== "complete",
      step: ["training", "paused"].includes(run.state), stop: ["starting", "training", "paused", "pausing"].includes(run.state), cancel: run.state === "queued", end: run.state === "stopping",
    };
    const focused = document.activeElement;
    for (const [action, element] of Object.entries(all)) element.hidden = !can[action];
    if (focused?.hidden && buttons.contains(focused)) buttons.querySelector("button:not([hidden])")?.focus();
    const total = run.total_images;
    bar.hidden = !total;
    bar.value = total ? Math.min(1, run.images / total) : 0;
    const left = total && last?.images_per_second ? (total - run.images) / last.images_per_second : NaN;
    const pairs = [["images", total ? `${count(run.images)} of ${count(total)}` : count(run.images)], ["speed", last ? `${count(last.images_per_second)} images/s` : "–"], ["time left", run.state === "training" ? duration(left) : "–"], ["recipe", run.recipe ?? "–"], ["data", run.data ?? "–"], ["time limit", run.minutes ? duration(60 * run.minutes) : "none"]];
    facts.replaceChildren(...pairs.map(([term, fact]) => h("div", {}, h("dt", {}, term), h("dd", {}, fact))));
    facts.style.margin = "0.8rem 0";
    const said = sentenceOf(run, last, health);
    if (sentence.textContent !== said.text) sentence.textContent = said.text;
    sentence.classList.toggle("wrong", said.isWrong);
    if (!hasFrame && !hint.textContent) hint.textContent = "Pictures appear when training has begun.";
    const hasFailed = ["failed", "crashed"].includes(run.state);
    trouble.replaceChildren(...(hasFailed && run.log?.length ? [h("p", { class: "soft" }, "The last lines of its log:"), h("pre", { tabIndex: 0 }, run.log.join("\n"))] : []));
    const still = !hasFrame && !isActive(run.state) && Boolean(run.files?.["grid.png"]);
    if (still && box.firstChild === view.element) {
      const image = h("img", { class: "picture", src: runPath(name, `/files/grid.png?at=${run.changed}`), alt: "The grid of samples when the run ended" });
      image.addEventListener("load", () => image.classList.toggle("inverted", isGray(image)));
      box.replaceChildren(image);
      hint.textContent = "The grid of samples when the run ended.";
    } else if (!still && box.firstChild !== view.element) {
      box.replaceChildren(view.element);
      hint.textContent = "";
    }
  }
  return { head, picture, words, about, losses, accuracies, distance, update, frame, act: doAct, ended };
}

/** Say in a sentence how the run is doing. */
function sentenceOf(run, last, health) {
  if (["failed", "crashed"].includes(run.state)) return { text: run.message || "The run has failed.", isWrong: true };
  if (run.state === "stopped" && run.message) return { text: run.message, isWrong: false };
  if (run.state === "queued") return { text: `Waits for its turn, as number ${run.position}.`, isWrong: false };
  if (run.state === "starting") return { text: "Starting: libraries and data are being loaded.", isWrong: false };
  if (health && last && last.images - health.images < 20 * 6400) return { text: health.message, isWrong: true };
  if (!last) return { text: "No losses recorded yet: the first row comes after 50 steps.", isWrong: false };
  const [real, fake] = [last.d_real_accuracy, last.d_fake_accuracy];
  const mean = (real + fake) / 2;
  const verdict = real - fake > 0.6 ? "It takes nearly everything for real." : fake - real > 0.6 ? "It takes nearly everything for generated." : mean > 0.95 ? "It is far ahead of the generator." : mean > 0.75 ? "It is ahead of the generator." : mean > 0.4 ? "The two are about even." : "It is fooled most of the time.";
  return { text: `The discriminator gets ${percent(real)} of real and ${percent(fake)} of generated images right. ${verdict}`, isWrong: false };
}
