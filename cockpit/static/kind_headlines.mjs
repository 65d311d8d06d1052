// The one number a tile shows first for a kind. A kind that is not named here gets its headline field, summed up from
// the live values by the sense of its limits: a new kind needs no line in this file.

import { fieldValue, number, unitOf } from "./format.mjs";
import { live } from "./live.mjs";
import { named, say } from "./texts.mjs";

const IDLE_MODES = new Set([0, 14]);

export function valuesOf(ids, field) {
  const found = [];
  for (const id of ids) {
    if (live.online.get(id) === false) continue;
    const reading = live.devices.get(id)?.[field];
    if (Number.isFinite(reading?.value)) found.push({ id, value: reading.value, at: reading.at, quality: reading.quality });
  }
  return found;
}

const nothing = () => ({ text: say("device.no_value"), unit: "" });
const sum = (readings) => readings.reduce((total, r) => total + r.value, 0);

export const airborne = (ids) => valuesOf(ids, "mode").filter((r) => !IDLE_MODES.has(r.value));

/** Lamps that should burn and those that do; `due` 0 by day. */
export function lampCount(ids) {
  let due = 0;
  let lit = 0;
  for (const { id, value } of valuesOf(ids, "dim_pct")) {
    const commanded = live.value(id, "cmd_pct") ?? value;
    if (commanded > 0) {
      due += 1;
      if (value > 0) lit += 1;
    }
  }
  return { due, lit };
}

const SPECIAL = {
  drone: (ids) => ({ text: number(airborne(ids).length), unit: say("unit.drones") }),
  drone_dock: (ids) => ({ text: number(valuesOf(ids, "drone_in_dock").filter((r) => r.value === 1).length), unit: say("unit.drones") }),
  refuse_truck: (ids) => ({ text: number(sum(valuesOf(ids, "load_kg")) / 1000, 1), unit: say("unit.tonne") }),
  bridge_wim: (ids, kind) => ({ text: number(sum(valuesOf(ids, "passes_today"))), unit: unitOf(kind.field("passes_today")) }),
  gateway: (ids) => ({ text: number(sum(valuesOf(ids, "children"))), unit: say("unit.devices") }),
  light_pole: (ids) => {
    const { due, lit } = lampCount(ids);
    if (!due) return { ...nothing(), label: say("headline.day") };
    // What is not whole does not read as whole: 99.96 is no 100.
    const share = (100 * lit) / due;
    return { text: number(share, lit < due && share >= 99.95 ? 2 : 1), unit: "%" };
  },
  gas_alarm: (ids, kind) => extreme(ids, kind.field("conc_pct_lel"), Math.max),
};

function extreme(ids, field, choose) {
  const readings = valuesOf(ids, field.key);
  if (!readings.length) return nothing();
  return { text: fieldValue(field, choose(...readings.map((r) => r.value))), unit: unitOf(field) };
}

function general(ids, kind) {
  const field = kind.field(kind.headline);
  if (!field || field.type === "text") return null;
  const limit = field.limits.find((l) => l.of_values);
  if (limit) {
    const worst = extreme(ids, field, limit.sense === "below" ? Math.min : Math.max);
    return { ...worst, label: say(limit.sense === "below" ? "headline.lowest" : "headline.worst", { name: named(field.name) }) };
  }
  const readings = valuesOf(ids, field.key).map((r) => r.value).sort((a, b) => a - b);
  if (!readings.length) return { ...nothing(), label: named(field.name) };
  const median = readings[Math.floor(readings.length / 2)];
  return { text: fieldValue(field, median), unit: unitOf(field), label: say("headline.median", { name: named(field.name) }) };
}

/** {text, unit, label} of a kind's headline, or null when it has none. */
export function headline(kind, ids) {
  const special = SPECIAL[kind.key];
  // Where no readings are kept, or nobody had spoken, nothing is known, and that is no nought.
  const unknown = live.gone || live.past?.devices_with_readings === 0;
  if (special) return { label: say(`headline.${kind.key}`), ...(unknown ? nothing() : special(ids, kind)) };
  const found = general(ids, kind);
  return found && unknown ? { ...found, ...nothing() } : found;
}
