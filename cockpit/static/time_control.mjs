// The choice of the time window: a button in the header that opens a small panel, with an instant, a span and the way back.

import { el } from "./dom.mjs";
import { live } from "./live.mjs";
import { shiftStart } from "./shifts.mjs";
import { say } from "./texts.mjs";
import { clockInstant, clockText, inWindow, timeWindow } from "./time_window.mjs";

const HOUR_MS = 3_600_000;
const STEPS = { hour: HOUR_MS, day: 24 * HOUR_MS };

export function mount(element, scope) {
  const button = el("button", { type: "button", "aria-expanded": "false", "aria-haspopup": "dialog" }, say(timeWindow.given === null ? "past.live" : "past.title"));
  const panel = el("div", { class: "time-panel", role: "dialog", "aria-label": say("past.choose"), hidden: true });
  element.append(button, panel);
  const open = (wanted) => {
    if (wanted) fill(panel);
    panel.hidden = !wanted;
    button.setAttribute("aria-expanded", String(wanted));
    if (wanted) panel.querySelector("button, input")?.focus();
  };
  button.addEventListener("click", () => open(panel.hidden));
  scope.listen(document, "keydown", (event) => {
    if (event.key !== "Escape" || panel.hidden) return;
    open(false);
    button.focus();
  });
  scope.listen(document, "pointerdown", (event) => element.contains(event.target) || open(false));
}

const go = (wanted) => window.location.assign(inWindow(wanted));

function fill(panel) {
  const now = timeWindow.at ?? live.now();
  const problem = el("p", { class: "problem", role: "alert" });
  const input = (name, at) => {
    const field = el("input", { type: "datetime-local", step: "1", name, value: clockText(at) });
    return { field, label: el("label", null, say(`past.${name}`), field) };
  };
  const instant = input("instant", now);
  const from = input("from", timeWindow.from ?? now - HOUR_MS);
  const to = input("to", now);
  const quick = Object.entries(STEPS).map(([key, ms]) => el("button", { type: "button", "data-step": key, onclick: () => go({ at: now - ms }) }, say(`past.step_${key}`)));
  const shift = el("button", { type: "button", "data-step": "shift", onclick: () => go({ at: shiftStart(now) }) }, say("past.step_shift"));
  const told = (choose) => (event) => {
    event.preventDefault();
    const [wanted, sentence] = choose();
    if (sentence) problem.textContent = sentence;
    else go(wanted);
  };
  const atInstant = () => {
    const at = clockInstant(instant.field.value);
    return at === null ? [null, say("past.no_instant")] : [{ at }, ""];
  };
  const inSpan = () => {
    const [begin, end] = [clockInstant(from.field.value), clockInstant(to.field.value)];
    if (begin === null || end === null) return [null, say("past.no_instant")];
    return begin < end ? [{ from: begin, to: end }, ""] : [null, say("past.no_span")];
  };
  panel.replaceChildren(
    el("div", { class: "button-row" }, timeWindow.given !== null && el("button", { type: "button", class: "primary", "data-step": "live", onclick: () => go({}) }, say("past.back")), quick, shift),
    el("form", { onsubmit: told(atInstant) }, instant.label, el("button", { type: "submit" }, say("past.show"))),
    el("form", { onsubmit: told(inSpan) }, from.label, to.label, el("button", { type: "submit" }, say("past.show_span"))),
    problem,
    el("p", { class: "quiet" }, say("past.explained")),
  );
}
