// How a case reads: its colour with shape and word, the time left to the second, its place, and how far it has come.

import { el, setText } from "./dom.mjs";
import { number } from "./format.mjs";
import { live } from "./live.mjs";
import { mark } from "./shapes.mjs";
import { named, say } from "./texts.mjs";

export const STEPS = ["REPORTED", "REGISTERED", "DISPATCHED", "HANDLING", "VERIFYING"];
const SHAPES = {
  green: "M8 0A8 8 0 1 1-8 0A8 8 0 1 1 8 0Z",
  amber: "M-7.5-9H7.5V-5.5L2.4 0 7.5 5.5V9H-7.5V5.5L-2.4 0-7.5-5.5Z",
  red: "M-8.5-8.5H8.5V8.5H-8.5ZM-1.4-5.6V1.4H1.4V-5.6ZM-1.4 3.2V6H1.4V3.2Z",
  suspended: "M-6.5-8H-2V8H-6.5ZM2-8H6.5V8H2Z",
  reported: "M-8-6H8V6H-8ZM-5.6-3.6 0 1 5.6-3.6Z",
  over: "M-8.6.4-6.4-1.9-2.8 1.7 6.4-7.2 8.6-4.9-2.8 6.4Z",
};
const AGAIN = "M1-8A8 8 0 1 1-7.6 2.6L-4.8 1.8A5.1 5.1 0 1 0 1-5.1V-1.4L-6-6.6 1-11.6Z";

export const againMark = () => mark(AGAIN);
export const colourMark = (name) => mark(SHAPES[name] ?? SHAPES.over);

/** Milliseconds left by the server's clock; null when no clock is running. */
export function leftMs(item) {
  if (item.colour === null) return null;
  return item.suspended ? item.remaining_s * 1000 : Date.parse(item.deadline_at) - live.now();
}

/** The colour of this second, not of the last answer. */
function colourNow(item) {
  const left = leftMs(item);
  if (left === null) return item.state === "REPORTED" ? "reported" : "over";
  if (left <= 0 || item.overdue_at) return "red";
  const amber = Date.parse(item.deadline_at) - Date.parse(item.amber_at);
  return left <= amber ? "amber" : "green";
}

export function clockText(ms) {
  const total = Math.floor(Math.abs(ms) / 1000);
  const two = (n) => String(n).padStart(2, "0");
  const days = Math.floor(total / 86_400);
  const rest = `${two(Math.floor((total % 86_400) / 3600))}:${two(Math.floor((total % 3600) / 60))}:${two(total % 60)}`;
  return days ? say("cases.days", { d: number(days), rest }) : rest;
}

/** The same in hours however many: one width for every case of a wall. */
export function hoursText(ms) {
  const total = Math.floor(Math.abs(ms) / 1000);
  const two = (n) => String(n).padStart(2, "0");
  return `${two(Math.floor(total / 3600))}:${two(Math.floor((total % 3600) / 60))}:${two(total % 60)}`;
}

export const className = (item) => named(item.name, item.sub_class);
export const streetName = (item) => named(item.street_name, item.street || say("alarm.unknown_place"));
export const placeText = (item) => [streetName(item), item.grid, item.place, item.device].filter(Boolean).join(" · ");
export const whoText = (item) =>
  [item.unit && named(item.unit.name), item.handler].filter(Boolean).join(" · ") || say("cases.no_unit");

/** The countdown of a case as an element with a `tick`: shape, word, time, and a bar of the time that is used up. */
export class Countdown {
  constructor(item, text = clockText) {
    this.item = item;
    this.text = text;
    this.word = el("span", { class: "due-word" });
    this.time = el("b", { class: "due-time numeric" });
    this.shape = el("span", { class: "due-shape" });
    this.used = el("span", { class: "due-used" });
    this.element = el("span", { class: "due" }, this.shape, this.word, this.time, el("span", { class: "due-bar", "aria-hidden": "true" }, this.used));
    this.tick();
  }

  tick() {
    const { item } = this;
    const left = leftMs(item);
    const colour = colourNow(item);
    const shown = item.suspended && left !== null ? "suspended" : colour;
    if (this.shown !== shown) {
      this.shown = shown;
      this.element.className = `due due-${colour}${item.suspended ? " is-suspended" : ""}`;
      this.shape.replaceChildren(colourMark(shown));
    }
    setText(this.word, this.words(left, colour));
    setText(this.time, left === null ? "" : this.text(left));
    const share = left === null ? 0 : Math.min(1, Math.max(0, 1 - left / (item.limit_s * 1000)));
    this.used.style.width = `${(100 * share).toFixed(1)}%`;
  }

  words(left, colour) {
    if (left === null) {
      if (this.item.state === "CLOSED") return say(this.item.overdue_at ? "cases.closed_late" : "cases.closed_in_time");
      return say(`cases.state_${this.item.state}`);
    }
    if (this.item.suspended) return say("cases.suspended");
    return say(`cases.colour_${colour}`);
  }
}

/** How far a case has come: five steps, the present one by name. */
export function progress(item) {
  const at = STEPS.indexOf(item.state);
  const done = item.state === "CLOSED" ? STEPS.length : at;
  const pips = STEPS.map((_, i) => el("i", { class: i < done ? "is-done" : i === at ? "is-now" : "" }));
  return el("span", { class: "steps" }, el("span", { class: "pips", "aria-hidden": "true" }, pips), el("span", null, say(`cases.state_${item.state}`)));
}
