// A line chart as SVG, with the table behind it.

import { count, fixed, h, table } from "./ui.js";

const [HIGH, LEFT, RIGHT, TOP, BOTTOM] = [220, 46, 10, 8, 26];
const [LEAST_WIDE, MOST_WIDE] = [240, 1000]; // text keeps its size between these; beyond, all grows
const POINTS = 400; // drawn of a series at most
const ROWS = 25; // of the table
const NS = "http://www.w3.org/2000/svg";
const STYLES = ["a", "b", "c", "d"];

function s(tag, attributes = {}, text = null) {
  const element = document.createElementNS(NS, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text !== null) element.textContent = text;
  return element;
}

/** Round numbers that divide a range in a few steps, each with its text. */
function ticks(low, high, wanted = 4) {
  const raw = (high - low) / wanted || 1;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((each) => each >= raw);
  const found = [];
  for (let at = Math.ceil(low / step) * step; at <= high + step / 1e6; at += step) found.push(Math.abs(at) < step / 1e6 ? 0 : at);
  const digits = Math.max(0, -Math.floor(Math.log10(step)));
  return found.map((value) => [value, short(value, digits)]);
}

/** Write the number of a tick with as many digits as its step has. */
function short(value, digits) {
  const [unit, letter] = Math.abs(value) >= 1e6 ? [1e6, "M"] : Math.abs(value) >= 1e3 ? [1e3, "k"] : [1, ""];
  const text = letter ? String(+(value / unit).toPrecision(6)) : value.toFixed(value ? digits : 0);
  return `${text}${letter}`.replace("-", "−");
}

/** Thin a series out: of each piece its least and its greatest value are kept. */
function thinned(points) {
  if (points.length <= POINTS) return points;
  const kept = [];
  const size = (2 * points.length) / POINTS;
  for (let start = 0; start < points.length; start += size) {
    const piece = points.slice(Math.floor(start), Math.floor(start + size));
    if (!piece.length) continue;
    const least = piece.reduce((a, b) => (b[1] < a[1] ? b : a));
    const most = piece.reduce((a, b) => (b[1] > a[1] ? b : a));
    kept.push(...(least[0] < most[0] ? [least, most] : [most, least]));
  }
  kept.push(points.at(-1));
  return kept;
}

/**
 * A chart that is drawn again as points arrive.
 *
 * @param title what it shows; also the name of the picture and of the table.
 * @param series the labels of at most four lines.
 * @param options share: values from 0 to 1; hint: a sentence on how to read it; unit: of x.
 */
export function lineChart(title, series, { share = false, hint = "", unit = "images" } = {}) {
  const data = series.map(() => []);
  let wide = 560;
  const svg = s("svg", { viewBox: `0 0 ${wide} ${HIGH}`, role: "img" });
  const values = series.map(() => h("b", {}, ""));
  const legend = h("ul", { class: "legend" }, series.map((label, index) => {
    const line = s("svg", { viewBox: "0 0 22 8", "aria-hidden": "true" });
    line.append(s("path", { d: "M1 4H21", class: STYLES[index], "stroke-width": 2.5 }));
    const key = h("span", { class: "chart" }, line);
    return h("li", {}, key, `${label} `, values[index]);
  }));
  const behind = h("div");
  const details = h("details", { ontoggle: () => showTable() }, h("summary", {}, "As a table"), behind);
  const element = h("section", {}, h("h2", {}, title), hint ? h("p", { class: "soft" }, hint) : null, h("figure", { class: "chart" }, legend, svg), details);

  function showTable() {
    if (!details.open) return;
    const places = [...new Set(data.flat().map(([x]) => x))].sort((a, b) => a - b);
    const size = Math.max(1, places.length / ROWS);
    const chosen = places.filter((_, index) => index === places.length - 1 || Math.floor(index % size) === 0).slice(-ROWS - 1);
    const maps = data.map((points) => new Map(points));
    behind.replaceChildren(table(title, [unit, ...series], chosen.map((x) => [count(x), ...maps.map((map) => fixed(map.get(x)))])));
  }

  function draw() {
    svg.replaceChildren();
    const all = data.flat();
    data.forEach((points, index) => (values[index].textContent = points.length ? fixed(points.at(-1)[1], share ? 2 : 3) : ""));
    svg.setAttribute("aria-label", `${title}: ${series.map((label, index) => `${label} ${fixed(data[index].at(-1)?.[1])}`).join(", ")}`);
    if (!all.length) {
      svg.append(s("text", { x: wide / 2, y: HIGH / 2, "text-anchor": "middle" }, "Nothing recorded yet"));
      return;
    }
    const xs = all.map(([x]) => x);
    const ys = all.map(([, y]) => y).sort((a, b) => a - b);
    let [low, high] = share ? [0, 1] : [ys[0], ys.at(-1)];
    if (!share && ys.length > 50) [low, high] = [ys[Math.floor(ys.length * 0.005)], ys[Math.ceil(ys.length * 0.995) - 1]];
    if (high - low < 1e-9) [low, high] = [low - 0.5, high + 0.5];
    const most = xs.reduce((a, b) => Math.max(a, b), 1);
    const across = (x) => LEFT + (x / most) * (wide - LEFT - RIGHT);
    const down = (y) => TOP + ((high - Math.min(Math.max(y, low), high)) / (high - low)) * (HIGH - TOP - BOTTOM);
    for (const [y, text] of ticks(low, high)) {
      svg.append(s("line", { x1: LEFT, x2: wide - RIGHT, y1: down(y), y2: down(y), class: "grid" }));
      svg.append(s("text", { x: LEFT - 6, y: down(y) + 4, "text-anchor": "end" }, text));
    }
    for (const [x, text] of ticks(0, most, wide < 400 ? 3 : 5)) {
      svg.append(s("text", { x: across(x), y: HIGH - 6, "text-anchor": x ? "middle" : "start" }, x ? text : `0 ${unit}`));
    }
    data.forEach((points, index) => {
      if (!points.length) return;
      const d = thinned(points).map(([x, y], at) => `${at ? "L" : "M"}${across(x).toFixed(1)} ${down(y).toFixed(1)}`).join("");
      svg.append(s("path", { d: points.length === 1 ? `${d}h.1` : d, class: `${STYLES[index]}${points.length === 1 ? " dot" : ""}` }));
    });
  }

  let due = null;
  const later = () => {
    due ??= setTimeout(() => {
      due = null;
      draw();
      showTable();
    }, 250);
  };
  draw();
  new ResizeObserver(([entry]) => {
    const fitting = Math.round(Math.min(Math.max(entry.contentRect.width, LEAST_WIDE), MOST_WIDE));
    if (entry.contentRect.width < 1 || fitting === wide) return; // hidden, or as before
    wide = fitting;
    svg.setAttribute("viewBox", `0 0 ${wide} ${HIGH}`);
    draw();
  }).observe(svg);
  return {
    element,
    /** Add a value of a line at a number of images. */
    add(index, x, y) {
      if (!Number.isFinite(x) || !Number.isFinite(y)) return;
      data[index].push([x, y]);
      later();
    },
    /** Forget all points, of all lines or of some. */
    clear(indices = series.map((_, index) => index)) {
      for (const index of indices) data[index] = [];
      later();
    },
  };
}
