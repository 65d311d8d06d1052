// What pages say about an alarm: order, words, place, the worst of a device.

import { kinds, places, site } from "./city.mjs";
import { fieldValue, unitOf, withUnit } from "./format.mjs";
import { named, say } from "./texts.mjs";

export const PRIORITIES = ["P1", "P2", "P3", "P4", "health"];
export const rank = (priority) => PRIORITIES.indexOf(priority);
export const isUnacked = (alarm) => alarm.state === "UNACK" || alarm.state === "RTN_UNACK";

/** The worst first, then the newest: the order of every list. */
export function byUrgency(a, b) {
  return rank(a.priority) - rank(b.priority) || Date.parse(b.raised_at) - Date.parse(a.raised_at) || (a.id < b.id ? -1 : 1);
}

export function priorityText(priority) {
  const word = say(`priority.${priority}`);
  return priority === "health" ? word : `${priority} ${word}`;
}

/** Loads what the words below need; await it once per module. */
export async function alarmWords() {
  const [kindTable, siteTable, placeTable] = await Promise.all([kinds(), site(), places()]);

  const what = (alarm) => named(alarm.rule_name, alarm.rule);

  function street(alarm) {
    const key = alarm.street || placeTable.get(alarm.device)?.street;
    return named(siteTable.street.get(key)?.name, say("alarm.unknown_place"));
  }

  function device(alarm) {
    const kind = named(kindTable.get(alarm.kind)?.name, alarm.kind);
    return named(alarm.device_name) || `${kind} ${alarm.device}`;
  }

  function value(alarm) {
    if (alarm.value === null || alarm.value === undefined || !alarm.field) return "";
    return withUnit(kindTable.get(alarm.kind)?.field(alarm.field), alarm.value);
  }

  function position(alarm) {
    const at = alarm.lat !== null && alarm.lat !== undefined ? alarm : placeTable.get(alarm.device);
    return Number.isFinite(at?.lat) && Number.isFinite(at?.lon) ? [at.lon, at.lat] : null;
  }

  function limits(alarm) {
    const field = kindTable.get(alarm.kind)?.field(alarm.field);
    const limit = field?.limits.find((l) => `${alarm.kind}.${field.key}.${l.key}` === alarm.rule);
    if (!limit) return null;
    const steps = limit.levels.map((l) => `${l.priority} ${fieldValue(field, l.value)}`).join(" · ");
    return { text: `${steps} ${field.codes ? "" : unitOf(field)}`, source: limit.source, grade: limit.grade };
  }

  return { what, street, device, value, position, limits };
}

/** Open alarms by device; only those a person should see on a map (device health last). */
export function worstByDevice(alarms) {
  const worst = new Map();
  for (const alarm of alarms) {
    const known = worst.get(alarm.device);
    if (!known || byUrgency(alarm, known) < 0) worst.set(alarm.device, alarm);
  }
  return worst;
}
