// The band across the top of a page whose window stands in the past: when that is, what may be missing, and the way back.

import { el } from "./dom.mjs";
import { day, number, time } from "./format.mjs";
import { live } from "./live.mjs";
import { say } from "./texts.mjs";
import { inWindow, timeWindow } from "./time_window.mjs";

const moment = (at) => `${day(at)} ${time(at)}`;

export function mount(element, scope) {
  if (timeWindow.given === null) return;
  document.body.classList.toggle("is-past", timeWindow.past);
  document.body.classList.add("has-window");
  scope.add(() => document.body.classList.remove("is-past", "has-window"));
  const back = el("a", { href: inWindow({}), class: "button", "data-window": "live" }, say("past.back"));
  const show = () => element.replaceChildren(...words(), back);
  show();
  for (const type of ["snapshot", "state"]) scope.listen(live, type, show);
}

function words() {
  const { at, from, past } = timeWindow;
  if (!past) return [el("span", null, say("past.always_live", { time: at === null ? timeWindow.given : moment(at) }))];
  if (live.problem) return [el("strong", null, say("past.title")), el("span", { class: "past-trouble" }, say("past.refused", { detail: live.problem }))];
  const span = from === null ? "" : say("past.span", { from: moment(from), to: moment(at) });
  const absent = live.summary?.watchdog;
  const gone = live.ready && live.gone;
  const empty = !gone && live.ready && live.past?.devices_with_readings === 0;
  return [
    el("strong", null, say("past.at", { time: moment(at) })),
    span && el("span", null, span),
    !live.ready && el("span", null, say("shell.loading")),
    gone && el("span", { class: "past-trouble" }, say("past.not_kept", { days: number(live.past.days_kept) })),
    empty && el("span", { class: "past-trouble" }, say("past.no_readings")),
    absent && el("span", { class: "past-trouble" }, say("past.watchdog", { time: moment(Date.parse(absent.since)) })),
  ].filter(Boolean);
}
