// The order of alarms: the worst first, then the newest.

export const PRIORITIES = ["P1", "P2", "P3", "P4", "health"];
export const rank = (priority) => PRIORITIES.indexOf(priority);
export const isUnacked = (alarm) => alarm.state === "UNACK" || alarm.state === "RTN_UNACK";

export function byUrgency(a, b) {
  return rank(a.priority) - rank(b.priority) || Date.parse(b.raised_at) - Date.parse(a.raised_at) || (a.id < b.id ? -1 : 1);
}

/** The worst open alarm of each device. */
export function worstByDevice(alarms) {
  const worst = new Map();
  for (const alarm of alarms) {
    const known = worst.get(alarm.device);
    if (!known || byUrgency(alarm, known) < 0) worst.set(alarm.device, alarm);
  }
  return worst;
}
