// Sources whose messages come badly: clocks that run ahead, messages that come late, and open device-health alarms
// other than silence (sequence gaps among them).

import { address } from "./api.mjs";
import { alarmWords } from "./alarms.mjs";
import { kinds } from "./city.mjs";
import { el } from "./dom.mjs";
import { duration, moment, number } from "./format.mjs";
import { feed, oldness, placeholder } from "./health_feed.mjs";
import { live } from "./live.mjs";
import { kindMark, mark, STATE_SHAPES } from "./shapes.mjs";
import { named, say } from "./texts.mjs";

const MOST = 12;

export async function mount(element, scope) {
  const [table, words] = await Promise.all([kinds(), alarmWords()]);
  const show = () => {
    const part = feed.part("sources");
    const alarms = [...live.alarms.values()].filter((alarm) => alarm.priority === "health" && !alarm.rule.endsWith(".no_data"));
    const told = part.value?.items ?? [];
    const found = new Map(told.map((row) => [row.device, row]));
    // A device stands here once: its figures beside its alarm.
    const alarming = new Set(alarms.map((alarm) => alarm.device));
    const counted = told.filter((row) => !alarming.has(row.device));
    const lines = [...alarms.map((alarm) => alarmed(alarm, found.get(alarm.device), table, words)), ...counted.map((row) => source(row, table))];
    const rest = alarms.length + (part.value?.total ?? 0) - (told.length - counted.length) - Math.min(lines.length, MOST);
    const none = el("p", { class: "health-none" }, mark(STATE_SHAPES.ACKED), say("health.none_source"));
    element.replaceChildren(
      ...[oldness(part)].filter(Boolean),
      lines.length ? el("ol", { class: "mute-list" }, lines.slice(0, MOST)) : (placeholder(part) ?? none),
      rest > 0 ? el("p", { class: "quiet" }, say("health.more", { count: number(rest) })) : "",
    );
  };
  feed.need("sources", scope, show);
  for (const type of ["snapshot", "alarm"]) scope.listen(live, type, show);
}

function figures(row) {
  const counts = ["gaps", "skewed", "late"].filter((key) => row[key]).map((key) => say(`health.${key}`, { count: number(row[key]) }));
  if (row.ahead_s) counts.push(say("health.ahead", { duration: duration(row.ahead_s * 1000) }));
  return counts.join(" · ");
}

function source(row, table) {
  const kind = table.get(row.kind);
  const last = row.last_at ? el("span", { class: "quiet numeric" }, moment(row.last_at, live.now())) : "";
  return el("li", null, kindMark(kind?.shape), name(row.device, kind, row.kind), el("p", { class: "since" }, el("span", null, figures(row)), last));
}

function alarmed(alarm, row, table, words) {
  const kind = table.get(alarm.kind);
  const what = [words.what(alarm), words.value(alarm)].filter(Boolean).join(" ");
  const more = row ? el("span", null, figures(row)) : "";
  return el(
    "li",
    { class: "health" },
    kindMark(kind?.shape),
    name(alarm.device, kind, alarm.kind),
    el("p", { class: "since" }, el("b", null, what), more, el("span", { class: "quiet numeric" }, moment(alarm.raised_at, live.now()))),
  );
}

function name(device, kind, key) {
  return el("p", null, `${named(kind?.name, key || say("health.kind_unknown"))} `, el("a", { href: address(`device/${encodeURIComponent(device)}`) }, device));
}
