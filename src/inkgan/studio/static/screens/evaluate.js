// The evaluation of a run: its stages while it is computed, then its report.

import { get, post, runPath } from "../api.js";
import { choice, copy, duration, empty, h, percent, toast } from "../ui.js";

const LOOK_MS = 1500;

export async function show({ root, settings, keep, onleave }) {
  const { runs } = await get("/api/runs");
  const names = runs.filter((run) => run.has_generator).map((run) => run.name);
  if (!names.length) {
    root.append(empty("Only a run that has ended, or was stopped, has a generator to evaluate.", h("a", { class: "button main", href: "#/runs" }, "See the runs")));
    return;
  }
  const name = names.includes(settings.get("run")) ? settings.get("run") : names[0];
  const wanted = { protocol: settings.get("protocol") === "full" ? "full" : "quick", checkpoint: settings.get("checkpoint") === "best" ? "best" : "last" };
  const remember = () => keep({ run: name, ...wanted });
  remember();
  const start = h("button", { type: "button", class: "main" }, "Evaluate");
  const stop = h("button", { type: "button" }, "Stop");
  const state = h("p", { class: "sentence", role: "status" });
  const bar = h("progress", { "aria-label": "Evaluation" });
  const stages = h("ol");
  const verdict = h("ul");
  const report = h("div");
  let newest = {};
  let shown = "";

  function update(now) {
    newest = now;
    const isBusy = ["queued", "running"].includes(now.state);
    start.disabled = isBusy;
    stop.hidden = !isBusy;
    bar.hidden = now.state !== "running";
    if (Number.isFinite(now.share)) bar.value = now.share;
    else bar.removeAttribute("value");
    root.dataset.evaluation = now.state;
    const text = {
      none: now.verdict.length ? "An earlier evaluation found this." : "This run has not been evaluated.", queued: "Waits for its turn.", running: runningText(now),
      complete: "Complete.", failed: "The evaluation has failed; its last lines say why.",
    }[now.state];
    if (state.textContent !== text) state.textContent = text;
    state.classList.toggle("wrong", now.state === "failed");
    stages.replaceChildren(...(isBusy || now.state === "failed" ? now.log.slice(-8).map((line) => h("li", {}, line)) : []));
    verdict.replaceChildren(...(isBusy ? [] : now.verdict.map((sentence) => h("li", {}, sentence))));
    const key = now.has_report && !isBusy ? `${name}-${now.state}-${now.verdict.join()}` : "";
    if (key !== shown) {
      shown = key;
      report.replaceChildren(...(key ? [h("iframe", { class: "report", src: runPath(name, "/report"), title: `Report on ${name}`, sandbox: "" })] : []));
    }
  }

  const refresh = () => get(runPath(name, "/evaluation")).then(update);
  start.addEventListener("click", async () => {
    start.disabled = true;
    try {
      update(await post(runPath(name, "/evaluation"), wanted));
    } catch (error) {
      toast(error.message);
      start.disabled = false;
    }
  });
  stop.addEventListener("click", () => post(runPath(name, "/evaluation/stop"), {}).then(refresh, (error) => toast(error.message)));
  root.append(
    h("div", { class: "head" }, h("h1", {}, "Evaluate"), h("p", { class: "soft" }, "Are the images good, varied, collapsed, copied? Measured against real images, with error bars.")),
    h("div", { class: "columns" },
      h("section", {},
        choice("Run", names, name, (value) => (location.hash = `#/evaluate?run=${encodeURIComponent(value)}`)),
        choice("Protocol", [["quick", "quick: 10,000 images, about a minute"], ["full", "full: all scores"]], wanted.protocol, (value) => { wanted.protocol = value; remember(); }),
        choice("Generator", [["last", "the last one"], ["best", "the one that scored best"]], wanted.checkpoint, (value) => { wanted.checkpoint = value; remember(); }),
        h("div", { class: "row" }, start, stop, h("button", { type: "button", class: "quiet", onclick: () => copy(commandOf(newest.command ?? "", wanted), "Command") }, "Copy as command"))),
      h("section", {}, h("h2", {}, "Verdict"), state, bar, stages, verdict)),
    report,
  );
  report.style.marginTop = "1rem";
  await refresh();
  const timer = setInterval(() => {
    if (!document.hidden) refresh().catch(() => {});
  }, LOOK_MS);
  onleave(() => clearInterval(timer));
}

/** Say how far an evaluation is, and how long it still takes at the pace so far. */
function runningText({ share, stage, seconds }) {
  if (!Number.isFinite(share)) return `Starting for ${duration(seconds)}: libraries and data are being loaded.`;
  const left = share > 0.05 ? `, about ${duration((seconds * (1 - share)) / share)} left` : "";
  return `${percent(share)}: ${stage}. Running for ${duration(seconds)}${left}.`;
}

const commandOf = (command, { protocol, checkpoint }) =>
  [command, protocol === "quick" && "--quick", checkpoint === "best" && "--checkpoint best"].filter(Boolean).join(" ");
