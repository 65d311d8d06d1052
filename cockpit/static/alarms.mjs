// What pages say about an alarm: its rule, value, place and limits in words.

import { kinds, places, site } from "./city.mjs";
import { fieldValue, unitOf, withUnit } from "./format.mjs";
import { live } from "./live.mjs";
import { named, say } from "./texts.mjs";

export function priorityText(priority) {
  const word = say(`priority.${priority}`);
  return priority === "health" ? word : `${priority} ${word}`;
}

/** P1 to P4 as they are; the only word among priorities in the reader's language. */
export const shortPriority = (priority) => (priority === "health" ? say("priority.health") : priority);

/** The tables name rules in small letters, to stand within sentences; here they begin one. */
const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

const WHOLE = new Set(["count", "d", "passes"]);
const ownField = ({ unit, unit_label }) =>
  unit === "1" ? undefined : { resolution: WHOLE.has(unit) ? 1 : 0.1, unit_label };

/** Loads what the words below need; await it once per module. */
export async function alarmWords() {
  const [kindTable, siteTable, placeTable] = await Promise.all([kinds(), site(), places()]);

  /** The rule's name, with how many alarms are folded under this one. */
  const what = (alarm) => `${capital(named(alarm.rule_name, alarm.rule))}${alarm.members ? ` +${alarm.members}` : ""}`;

  function street(alarm) {
    const key = alarm.street || placeTable.get(alarm.device)?.street;
    return named(siteTable.street.get(key)?.name, say("alarm.unknown_place"));
  }

  function device(alarm) {
    const kind = named(kindTable.get(alarm.kind)?.name, alarm.kind);
    return named(alarm.device_name) || `${kind} ${alarm.device}`;
  }

  /** Which device, where its kind is told by other words. */
  const which = (alarm) => named(alarm.device_name) || alarm.device;

  function value(alarm) {
    if (alarm.value === null || alarm.value === undefined || !alarm.field) return "";
    const known = kindTable.get(alarm.kind)?.field(alarm.field);
    // A rate, a share or a place is judged in another unit than its field has; a place in none at all.
    if (known && known.unit !== alarm.unit && alarm.unit === "1") return "";
    // The collector's own figures are of no kind of device.
    const field = known?.unit === alarm.unit ? known : ownField(alarm);
    // "Lamp failure: yes" says nothing that "lamp failure" does not.
    return field?.type === "flag" ? "" : withUnit(field, alarm.value);
  }

  /** What the device says at this moment, when that is another thing than what raised the alarm. */
  function present(alarm) {
    const field = kindTable.get(alarm.kind)?.field(alarm.field);
    const reading = live.devices.get(alarm.device)?.[alarm.field];
    const passing = field?.limits.some((limit) => limit.passage);
    return field && reading && !passing && field.type === "number" ? withUnit(field, reading.value) : "";
  }

  function position(alarm) {
    const at = alarm.lat !== null && alarm.lat !== undefined ? alarm : placeTable.get(alarm.device);
    return Number.isFinite(at?.lat) && Number.isFinite(at?.lon) ? [at.lon, at.lat] : null;
  }

  function limits(alarm) {
    const field = kindTable.get(alarm.kind)?.field(alarm.field);
    const limit = field?.limits.find((l) => `${alarm.kind}.${field.key}.${l.key}` === alarm.rule);
    if (!limit) return null;
    const judged = field.unit === alarm.unit ? field : ownField(alarm);
    const steps = limit.levels.map((l) => `${l.priority} ${fieldValue(judged, l.value)}`).join(" · ");
    return { text: `${steps} ${Object.keys(field.codes ?? {}).length ? "" : unitOf(judged)}`, source: named(limit.source), grade: limit.grade };
  }

  /** The figure beside an alarm on a live map: as it is now, where that is the figure which raised it. */
  function standing(alarm) {
    const same = alarm.active && kindTable.get(alarm.kind)?.field(alarm.field)?.unit === alarm.unit;
    return (same && present(alarm)) || value(alarm);
  }

  return { what, street, device, which, value, present, standing, position, limits };
}
