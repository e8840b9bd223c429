// Elements, words and small parts that the screens share. Text always goes in as text, never as HTML.

/** Make an element: properties, `on...` listeners, and children, of which null is left out. */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "class") element.className = value;
    else if (name in element && !name.startsWith("aria") && typeof value !== "string") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export const $ = (id) => document.getElementById(id);
export const count = (value) => Math.round(value ?? 0).toLocaleString("en");
export const fixed = (value, digits = 3) => (Number.isFinite(value) ? value.toFixed(digits).replace("-", "−") : "–");
export const percent = (value) => (Number.isFinite(value) ? `${Math.round(100 * value)} %` : "–");

/** Say how long something takes, as people do. */
export function duration(seconds) {
  if (!Number.isFinite(seconds)) return "–";
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

/** Say how long ago a moment was, given in seconds of the epoch. */
export function ago(moment) {
  const passed = Date.now() / 1000 - moment;
  return passed < 10 ? "now" : passed < 172800 ? `${duration(passed)} ago` : new Date(moment * 1000).toLocaleDateString("en");
}

const STATES = {
  queued: "waiting", starting: "starting", training: "training", pausing: "pausing", paused: "paused", stopping: "stopping",
  stopped: "stopped", complete: "complete", failed: "failed", crashed: "crashed",
};
export const isActive = (state) => ["starting", "training", "pausing", "paused", "stopping"].includes(state);

/** The state of a run as a small label. */
export function stateLabel(run) {
  const place = run.state === "queued" && run.position ? `, number ${run.position}` : "";
  return h("span", { class: `state ${run.state}` }, (STATES[run.state] ?? run.state) + place);
}

let hiding;
/** Show a short message for a moment. */
export function toast(text) {
  $("toast").textContent = text;
  $("toast").classList.add("shown");
  clearTimeout(hiding);
  hiding = setTimeout(() => $("toast").classList.remove("shown"), 3500);
}

/** Copy text to the clipboard, and say so. */
export async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = h("textarea", { class: "skip" });
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  toast(`${what} copied`);
}

/** Buttons that copy what a click would do: as a command, as a recipe, as Python. */
export function copyButtons(texts) {
  const kinds = { command: "Copy as command", toml: "Copy as TOML", python: "Copy as Python" };
  const names = { command: "Command", toml: "TOML", python: "Python" };
  return h("div", { class: "row" }, Object.keys(kinds).map((kind) =>
    h("button", { type: "button", class: "quiet", onclick: () => copy(texts()[kind] ?? "", names[kind]) }, kinds[kind])));
}

/** A table of rows under headings; numbers are aligned to the right, unless a column also has words. */
export function table(caption, headings, rows, { aligned = true } = {}) {
  const isNumber = (value) => aligned && (typeof value === "number" || /^[−\d][\d., %]*$/.test(String(value)));
  return h("div", { class: "scroll", tabIndex: 0, role: "region", "aria-label": caption }, h("table", {},
    h("caption", {}, caption),
    h("thead", {}, h("tr", {}, headings.map((text, place) => h("th", { scope: "col", class: place && rows[0] && isNumber(rows[0][place]) ? "number" : "" }, text)))),
    h("tbody", {}, rows.map((row) => h("tr", {}, row.map((value, place) =>
      place ? h("td", { class: isNumber(value) ? "number" : "" }, value) : h("th", { scope: "row" }, value)))))));
}

/** Text whose parts between backticks are code. */
export const withCode = (text) => text.split("`").map((part, place) => (place % 2 ? h("code", {}, part) : part));

/** A dotted name that may be broken behind its dots. */
export const dotted = (name) => h("span", {}, name.split(".").flatMap((part, place) => (place ? [".", h("wbr"), part] : [part])));

/** A labeled choice. */
export function choice(label, options, value, onchange) {
  const select = h("select", { onchange: () => onchange(select.value) }, options.map((option) => {
    const [key, text] = Array.isArray(option) ? option : [option, option];
    return h("option", { value: key, selected: key === value }, text);
  }));
  return h("div", { class: "field" }, h("label", { for: named(select) }, label), select);
}

/** Whether a picture has no colors, so that it may be shown as ink on paper. */
export function isGray(image) {
  const canvas = h("canvas", { width: 48, height: 48 });
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0, 48, 48);
  const { data } = context.getImageData(0, 0, 48, 48);
  for (let at = 0; at < data.length; at += 4) if (data[at] !== data[at + 1] || data[at] !== data[at + 2]) return false;
  return true;
}

let numbered = 0;
/** Give an element an id that labels can name. */
export function named(element) {
  element.id ||= `field-${++numbered}`;
  return element.id;
}

/** A page that has nothing to show yet. */
export function empty(text, ...links) {
  return h("section", { class: "empty" }, h("p", {}, text), h("div", { class: "row", style: null }, h("span", { class: "grow" }), ...links, h("span", { class: "grow" })));
}
