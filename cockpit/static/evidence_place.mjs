// Beside the evidence of an alarm: where it is, everything that was done about it, and what was at the same place before.

import { address, get } from "./api.mjs";
import { alarmWords, priorityText } from "./alarms.mjs";
import { site } from "./city.mjs";
import { actor } from "./contacts.mjs";
import { desk } from "./desk.mjs";
import { el } from "./dom.mjs";
import { moment } from "./format.mjs";
import { live } from "./live.mjs";
import { priorityBadge, stateMark } from "./shapes.mjs";
import { streetMap } from "./street_map.mjs";
import { has, say } from "./texts.mjs";

const BEFORE = 10;

export async function mount(element, scope) {
  const [words, city] = await Promise.all([alarmWords(), site()]);
  let asked = 0;
  const show = async () => {
    const { alarm } = desk;
    const turn = ++asked;
    element.hidden = !alarm;
    if (!alarm) return element.replaceChildren();
    const [done, there] = await Promise.all([
      get(`alarms/${encodeURIComponent(alarm.id)}/history`).catch(() => null),
      get("alarms", { device: alarm.device, state: "all", limit: BEFORE + 1 }).catch(() => null),
    ]);
    // An answer that was overtaken by another choice is dropped.
    if (turn !== asked || !scope.open) return;
    element.replaceChildren(...where(alarm, words, city), ...acts(done?.items ?? []), ...before(alarm, there?.items ?? [], words));
  };
  let due = false;
  show();
  scope.listen(desk, "choose", show);
  scope.listen(live, "alarm", ({ detail }) => detail.alarm.id === desk.chosen && (due = true));
  scope.listen(live, "snapshot", () => (due = true));
  scope.every(500, () => {
    if (due) show();
    due = false;
  });
}

function where(alarm, words, city) {
  const at = words.position(alarm);
  const map = at && streetMap(city);
  if (!map) return [];
  if (alarm.street) map.highlight(alarm.street);
  map.pin(at);
  return [el("h3", null, say("duty.where")), el("div", { class: "evidence-map" }, map.element)];
}

function actWord(action) {
  if (has(`act.${action}`)) return say(`act.${action}`);
  const [, tried] = /^(.+)_refused$/.exec(action) ?? [];
  return tried ? say("act.refused", { act: actWord(tried) }) : action;
}

function acts(rows) {
  if (!rows.length) return [];
  const line = (row) => {
    const word = actWord(row.action);
    return el(
      "li",
      null,
      el("span", { class: "numeric quiet" }, moment(row.at, live.now())),
      el("span", null, el("b", null, word), ` ${actor(row.actor)}`, row.reason || row.comment ? el("span", { class: "quiet" }, ` · ${[row.reason, row.comment].filter(Boolean).join(" · ")}`) : null),
    );
  };
  return [el("h3", null, say("duty.history")), el("ol", { class: "evidence-history" }, rows.map(line))];
}

function before(alarm, items, words) {
  const others = items.filter((item) => item.id !== alarm.id).slice(0, BEFORE);
  const line = (item) =>
    el(
      "li",
      null,
      el("span", { class: "numeric quiet" }, moment(item.raised_at, live.now())),
      el("span", null, priorityBadge(item.priority, priorityText(item.priority)), " ", el("a", { href: address(`duty?alarm=${encodeURIComponent(item.id)}`) }, words.what(item)), ` ${words.value(item)} `, el("span", { class: "state" }, stateMark(item.state), say(`state.${item.state}`)), item.verdict ? ` · ${say("duty.decide_false_alarm")}` : ""),
    );
  return [el("h3", null, say("duty.before")), others.length ? el("ol", { class: "evidence-history" }, others.map(line)) : el("p", { class: "quiet" }, say("duty.before_none"))];
}
