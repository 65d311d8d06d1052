// What changed since the officer last looked: told when they come back, until they say that they have seen it.

import { el, setText } from "./dom.mjs";
import { moment, number } from "./format.mjs";
import { live } from "./live.mjs";
import { say, settings } from "./texts.mjs";
import { timeWindow } from "./time_window.mjs";

// An exercise has a clock of its own; what was seen in it was not seen at the live desk.
const keptAt = () => (settings.drill ? "citydeck_looked_at_drill" : "citydeck_looked_at");
// Nobody touched anything for so long: whoever comes next was away.
const AWAY_MS = 60_000;
const CHANGES = [["raised", "raised_at"], ["acked", "acked_at"], ["returned", "returned_at"]];

export function mount(element, scope) {
  if (timeWindow.past) return (element.hidden = true);
  let looked = Number(localStorage.getItem(keptAt())) || live.now();
  let since = null;
  const words = el("span");
  const seen = el("button", { type: "button", onclick: () => tell(null) }, say("duty.since_seen"));
  element.append(el("span", { role: "status" }, words), seen);

  const changes = () => {
    const alarms = [...live.alarms.values()];
    return CHANGES.map(([key, at]) => [key, alarms.filter((alarm) => alarm[at] && Date.parse(alarm[at]) > since).length]).filter(([, count]) => count);
  };
  const show = () => {
    const found = since === null ? [] : changes();
    element.hidden = !found.length;
    const parts = found.map(([key, count]) => say(`duty.since_${key}`, { count: number(count) }));
    setText(words, found.length ? `${say("duty.since_away", { time: moment(since, live.now()) })} ${parts.join(" · ")}` : "");
  };
  const tell = (instant) => {
    since = instant;
    show();
  };
  const look = () => {
    const now = live.now();
    if (now - looked > AWAY_MS && since === null) tell(looked);
    looked = now;
    localStorage.setItem(keptAt(), String(now));
  };
  for (const type of ["pointermove", "pointerdown", "keydown", "wheel"]) scope.listen(document, type, look, { passive: true });
  scope.listen(live, "snapshot", () => {
    look();
    show();
  });
  let due = false;
  scope.listen(live, "alarm", () => (due = true));
  scope.every(1000, () => {
    if (due) show();
    due = false;
  });
  if (live.ready) look();
  show();
}
