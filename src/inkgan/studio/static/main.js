// The router: which screen the address names. Its settings are in the address too.

import { $, empty, h } from "./ui.js";

const SCREENS = [
  { path: "runs", title: "Runs" },
  { path: "train", title: "Train" },
  { path: "live", title: "Live" },
  { path: "time", title: "Time" },
  { path: "compare", title: "Compare" },
  { path: "break", title: "Break it" },
  { path: "evaluate", title: "Evaluate" },
  { path: "play", title: "Play" },
  { path: "data", title: "Your images" },
  { path: "plane", title: "Lesson 0" },
];
let leave = () => {};
let turn = 0;

/** Read the address: the screen, and its settings. */
function place() {
  const [path, query] = location.hash.replace(/^#\/?/, "").split("?");
  return { path: SCREENS.some((screen) => screen.path === path) ? path : "runs", settings: new URLSearchParams(query) };
}

/** Keep settings in the address, without a new entry in the history. */
function keep(path, values) {
  const settings = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value !== null && value !== undefined && value !== "") settings.set(name, String(value));
  }
  const query = settings.toString();
  history.replaceState(null, "", `#/${path}${query ? `?${query}` : ""}`);
}

async function show() {
  const mine = ++turn;
  const { path, settings } = place();
  leave();
  leave = () => {};
  const screen = SCREENS.find((each) => each.path === path);
  for (const link of $("nav").children) {
    if (link.dataset.path === path) {
      link.setAttribute("aria-current", "page");
      link.scrollIntoView({ block: "nearest", inline: "center" });
    } else link.removeAttribute("aria-current");
  }
  document.title = `${screen.title} · inkgan studio`;
  const root = h("div");
  $("main").replaceChildren(root);
  const cleanups = [];
  const context = {
    settings,
    root,
    keep: (values) => mine === turn && keep(path, values),
    onleave: (action) => (mine === turn ? cleanups.push(action) : action()),
  };
  leave = () => cleanups.forEach((action) => action());
  try {
    const module = await import(`./screens/${path}.js`);
    await module.show(context);
    root.dataset.ready = path;
  } catch (error) {
    if (mine === turn) root.replaceChildren(empty(error.message, h("button", { type: "button", onclick: show }, "Try again")));
  }
}

$("nav").append(...SCREENS.map(({ path, title }) => h("a", { href: `#/${path}`, "data-path": path }, title)));
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  $("main").focus();
});
window.addEventListener("hashchange", show);
show();
