// Over the alarm list: how many are open, unacknowledged and hidden by what; filter, sound, hand-over, keys.

import { address } from "./api.mjs";
import { priorityText } from "./alarms.mjs";
import { desk, VIEWS } from "./desk.mjs";
import { drillButtons } from "./drill_start.mjs";
import { el, setText } from "./dom.mjs";
import { handoverDialog } from "./handover.mjs";
import { helpDialog } from "./duty_help.mjs";
import { number } from "./format.mjs";
import { live } from "./live.mjs";
import { priorityBadge } from "./shapes.mjs";
import { sound } from "./sound.mjs";
import { say, settings } from "./texts.mjs";
import { timeWindow } from "./time_window.mjs";
import { isUnacked, PRIORITIES } from "./urgency.mjs";

export function mount(element, scope) {
  const open = el("b");
  const unacked = el("b");
  const counts = new Map(PRIORITIES.map((priority) => [priority, el("b")]));
  const chips = PRIORITIES.map((priority) => el("li", null, priorityBadge(priority, priorityText(priority)), counts.get(priority)));
  const views = new Map(VIEWS.map((view) => [view, viewButton(view)]));
  const filter = el("button", { type: "button", "aria-pressed": "false", onclick: () => desk.filter({ unackedOnly: !desk.unackedOnly }) }, say("duty.only_unacked"));
  const noise = el("button", { type: "button", onclick: () => sound.toggle() });
  const hand = el("button", { type: "button", onclick: handoverDialog }, say("duty.handover_key"));
  const help = el("button", { type: "button", class: "plain", onclick: helpDialog }, "? ", say("duty.help"));
  const dead = el("b", { class: "numeric" });
  const letters = el("a", { class: "badge duty-dead", href: address("health#notices"), hidden: true }, say("duty.dead_letters"), dead);
  element.append(
    el("p", { class: "duty-counts" }, say("count.unacked"), unacked, say("count.open"), open),
    el("ul", { class: "duty-chips" }, chips),
    el("div", { class: "duty-views", role: "group", "aria-label": say("duty.views") }, [...views.values()].map((view) => view.button)),
    letters,
    el("div", { class: "duty-buttons" }, filter, !timeWindow.past && [noise, !settings.drill && [drillButtons(scope), hand]].flat(2), help),
  );
  // Before the first news nobody knows that there are none.
  const told = (count) => (live.ready ? number(count) : say("device.no_value"));
  const show = () => {
    const alarms = [...live.alarms.values()];
    setText(open, told(alarms.length));
    setText(unacked, told(alarms.filter(isUnacked).length));
    for (const [view, { button, count }] of views) {
      const own = alarms.filter((alarm) => alarm.suppression === view).length;
      setText(count, told(own));
      button.setAttribute("aria-pressed", String(desk.view === view));
    }
    for (const [priority, count] of counts) {
      const own = alarms.filter((alarm) => alarm.priority === priority).length;
      setText(count, told(own));
      count.parentElement.classList.toggle("is-zero", !own);
    }
  };
  const showLetters = () => {
    const count = live.summary?.notices?.dead ?? 0;
    letters.hidden = !count;
    setText(dead, number(count));
  };
  const showSound = () => {
    setText(noise, say(`duty.sound_${sound.state}`));
    noise.setAttribute("aria-pressed", String(sound.state === "on"));
  };
  show();
  showLetters();
  showSound();
  scope.listen(live, "summary", showLetters);
  for (const type of ["snapshot", "alarm"]) scope.listen(live, type, show);
  scope.listen(sound, "change", showSound);
  scope.listen(desk, "filter", () => {
    filter.setAttribute("aria-pressed", String(desk.unackedOnly));
    show();
  });
}

function viewButton(view) {
  const count = el("b", { class: "numeric" });
  const button = el("button", { type: "button", "data-view": view, onclick: () => desk.filter({ view }) }, say(`duty.view_${view}`), " ", count);
  return { button, count };
}
