// The time window of a page stands in its address: live, an instant (`at`), or a span (`from`, `to`), whose state is that
// of its end. Links between pages keep it; pages that are always live carry it on and do not look at it.

import { settings } from "./texts.mjs";

const BASE = new URL("../", import.meta.url);
const FOLLOWING = /^(|wall|duty|cases|kpi|kpi\/records|device\/[^/]+)$/;
const PAGES = /^(|wall|duty|cases|kpi|kpi\/records|report|device\/[^/]+|rules|health|lamps|bench|drill(\/[^/]+)?)$/;
const INSTANT = /^(\d{4}-\d\d-\d\dT|\d{13}$)/;

const place = (url) => decodeURIComponent(url.pathname.slice(BASE.pathname.length)).replace(/^\/+|\/+$/g, "");

// On the pages of indicators `from` and `to` are the days reckoned, or when a record began: their window is an instant.
const spansIn = (url) => !/^(kpi|report)(\/|$)/.test(place(url));
const keysIn = (url) => (spansIn(url) ? ["at", "from", "to"] : ["at"]);

function instantOf(text) {
  if (!INSTANT.test(text ?? "")) return null;
  const found = /^\d+$/.test(text) ? Number(text) : Date.parse(text);
  return Number.isFinite(found) ? found : null;
}

function read() {
  const asked = new URLSearchParams(window.location.search);
  const span = spansIn(window.location) && !asked.has("at");
  const to = span ? instantOf(asked.get("to")) : null;
  const given = asked.get("at") ?? (span && INSTANT.test(asked.get("to") ?? "") ? asked.get("to") : null);
  const from = span ? instantOf(asked.get("from")) : null;
  const follows = FOLLOWING.test(place(window.location));
  return { given, at: asked.has("at") ? instantOf(asked.get("at")) : to, from, follows, past: follows && given !== null };
}

/**
 * The window of this page.
 *
 * `given` is its end as it stands in the address, whatever that may be; `at` the same in epoch milliseconds, null when it
 * is no instant; `from` the beginning of a span. `past`: this page shows the city as it was.
 */
export const timeWindow = read();

/** An address of another page with this window; any other address as it is. */
export function withWindow(href) {
  const url = new URL(href, window.location.href);
  const inside = url.origin === BASE.origin && url.pathname.startsWith(BASE.pathname);
  if (timeWindow.given === null || !inside || !PAGES.test(place(url)) || keysIn(url).some((key) => INSTANT.test(url.searchParams.get(key) ?? ""))) return href;
  if (timeWindow.from !== null && spansIn(url)) {
    url.searchParams.set("from", rfc3339(timeWindow.from));
    url.searchParams.set("to", timeWindow.given);
  } else {
    url.searchParams.set("at", timeWindow.given);
  }
  return url.href;
}

/** This page in another window: {}, {at} or {from, to}, in epoch milliseconds. */
export function inWindow(wanted) {
  const url = new URL(window.location.href);
  for (const key of keysIn(url)) if (key === "at" || INSTANT.test(url.searchParams.get(key) ?? "")) url.searchParams.delete(key);
  const shown = spansIn(url) || wanted.to === undefined ? wanted : { at: wanted.to };
  for (const [key, at] of Object.entries(shown)) url.searchParams.set(key, rfc3339(at));
  return url.href;
}

function offsetMs(at) {
  const format = new Intl.DateTimeFormat("en-GB", { timeZone: settings.timezone, timeZoneName: "longOffset" });
  const text = format.formatToParts(at).find((part) => part.type === "timeZoneName").value;
  const found = /GMT([+-])(\d\d):(\d\d)/.exec(text);
  return found ? (found[1] === "-" ? -1 : 1) * (Number(found[2]) * 60 + Number(found[3])) * 60_000 : 0;
}

/** The clock of the site at an instant, as an input of the type datetime-local has it. */
export const clockText = (at) => new Date(at + offsetMs(at)).toISOString().slice(0, 19);

/** The instant at which the clock of the site shows this, null when there is nothing to read. */
export function clockInstant(text) {
  const naive = Date.parse(`${text}Z`);
  if (!Number.isFinite(naive)) return null;
  const guess = naive - offsetMs(naive);
  return naive - offsetMs(guess);
}

/** The same as the API takes it. */
export function clockGiven(text) {
  const at = clockInstant(text);
  return at === null ? null : rfc3339(at);
}

function rfc3339(at) {
  const offset = offsetMs(at);
  const minutes = Math.abs(offset) / 60_000;
  const two = (number) => String(number).padStart(2, "0");
  return `${clockText(at)}${offset < 0 ? "-" : "+"}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

// Whatever a link is made of, it is followed in the same window.
function keep(event) {
  const link = event.target.closest?.("a[href]");
  if (link && timeWindow.given !== null && link.dataset.window !== "live") link.href = withWindow(link.href);
}

for (const type of ["pointerdown", "focusin", "click"]) document.addEventListener(type, keep, { capture: true });
