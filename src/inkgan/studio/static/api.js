// Requests to the server, and the one stream of events from it.

import { $ } from "./ui.js";

async function request(path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new Error("The studio does not answer. Runs that train go on.");
  }
  if (response.ok) return response.json();
  const text = await response.text();
  let message = text;
  try {
    message = JSON.parse(text).error ?? text;
  } catch {
    // plain text
  }
  throw new Error(message || `The studio answered ${response.status}.`);
}

export const get = (path) => request(path);
export const post = (path, body) =>
  request(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
export const runPath = (name, rest = "") => `/api/runs/${encodeURIComponent(name)}${rest}`;
export const act = (name, action) => post(runPath(name, "/actions"), { action });

/**
 * Follow runs: rows from the first one on, pictures, and the states of all runs.
 *
 * The stream ends while nobody sees the page, so that training draws for nobody, and goes on after
 * the last event that was received.
 *
 * @returns a function that ends it.
 */
export function follow(names, { onrows, onframe, onruns, onrewind, pictures = true } = {}) {
  let source = null;
  let last = "";
  let retry;
  const query = new URLSearchParams(names.map((name) => ["run", name]));
  query.set("pictures", String(pictures && Boolean(onframe)));
  const listen = (kind, handle) =>
    source.addEventListener(kind, (event) => {
      if (event.lastEventId) last = event.lastEventId;
      handle?.(JSON.parse(event.data));
    });
  const open = () => {
    clearTimeout(retry);
    if (source || document.hidden) return;
    if (last) query.set("after", last);
    source = new EventSource(`/api/events?${query}`);
    listen("runs", onruns);
    listen("rows", onrows);
    listen("rewind", onrewind);
    listen("frame", onframe);
    source.onopen = () => connected(true);
    source.onerror = () => {
      connected(false);
      if (source?.readyState === EventSource.CLOSED) {
        close();
        retry = setTimeout(open, 2000);
      }
    };
  };
  const close = () => {
    source?.close();
    source = null;
  };
  const visible = () => (document.hidden ? close() : open());
  document.addEventListener("visibilitychange", visible);
  open();
  return () => {
    document.removeEventListener("visibilitychange", visible);
    clearTimeout(retry);
    close();
    connected(true);
  };
}

function connected(isOpen) {
  $("connection").hidden = isOpen;
  $("connection").textContent = isOpen ? "" : "The studio does not answer. Runs that train go on; trying again …";
}
