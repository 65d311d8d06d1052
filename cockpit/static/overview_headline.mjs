// The first thing a director reads: is something wrong, how much of it, and is anybody on it.

import { priorityText } from "./alarms.mjs";
import { el } from "./dom.mjs";
import { number, time } from "./format.mjs";
import { live } from "./live.mjs";
import { priorityBadge } from "./shapes.mjs";
import { say } from "./texts.mjs";
import { isUnacked, PRIORITIES } from "./urgency.mjs";

export function mount(element, scope) {
  const show = () => {
    if (!live.ready) return element.replaceChildren(el("p", { class: "headline-words" }, say("shell.loading")));
    const open = [...live.alarms.values()];
    const counts = PRIORITIES.map((priority) => {
      const own = open.filter((alarm) => alarm.priority === priority).length;
      return el("li", { class: own ? "" : "is-zero" }, priorityBadge(priority, priorityText(priority)), el("b", null, number(own)));
    });
    const rate = live.summary ? `${number(live.summary.messages_per_s, 0)} ${say("unit.per_second")}` : "";
    element.replaceChildren(
      el("p", { class: `headline-words ${tone(open)}` }, words(open)),
      el("ul", { class: "headline-counts" }, counts),
      el("p", { class: "quiet" }, `${say("overview.at", { time: time(live.now()) })} · ${say("overview.rate", { rate })}`),
    );
  };
  show();
  for (const type of ["snapshot", "summary", "alarm"]) scope.listen(live, type, show);
}

function words(open) {
  const urgent = open.filter((alarm) => alarm.priority === "P1");
  const others = open.filter((alarm) => alarm.priority !== "health");
  const count = (list) => ({ count: number(list.length), unacked: number(list.filter(isUnacked).length) });
  if (urgent.length) return say("overview.p1", count(urgent));
  if (others.length) return say("overview.others", count(others));
  if (open.length) return say("overview.health_only", count(open));
  return say("overview.all_well");
}

function tone(open) {
  return PRIORITIES.find((priority) => open.some((alarm) => alarm.priority === priority)) ?? "is-well";
}
