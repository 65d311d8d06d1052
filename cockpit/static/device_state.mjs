// How a device stands on a map, from its live values and whether it is online.

import { live } from "./live.mjs";

export const STATES = ["ok", "lit", "unlit", "dark", "silent", "faulty", "unheard"];

/** One of STATES. `faulty` are the devices with an open device-health alarm. */
export function deviceState(id, kind, faulty) {
  if (live.online.get(id) === false) return isSilent(id) ? "silent" : "unheard";
  if (faulty.has(id)) return "faulty";
  if (kind === "light_pole") return lampState(live.devices.get(id));
  return "ok";
}

/** A device that spoke and then stopped; one that was never heard since the start is no alarm, only unknown yet. */
export function isSilent(id) {
  return live.online.get(id) === false && live.devices.has(id);
}

function lampState(values) {
  const dim = values?.dim_pct?.value;
  if (dim === undefined || dim === null) return "unlit";
  if (dim > 0) return "lit";
  const due = values.cmd_pct?.value > 0 || values.lamp_fail?.value > 0;
  return due ? "dark" : "unlit";
}

export function faultyDevices() {
  const found = new Set();
  for (const alarm of live.alarms.values()) if (alarm.priority === "health") found.add(alarm.device);
  return found;
}

/** Where a device is now: its own report if it moves, else where the site file puts it. */
export function positionOf(place) {
  const values = live.devices.get(place.id);
  const lat = values?.lat?.value ?? place.lat;
  const lon = values?.lon?.value ?? place.lon;
  return Number.isFinite(lat) && Number.isFinite(lon) ? [lon, lat] : null;
}
