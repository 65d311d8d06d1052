// Tonnes by the hour, added up and compared; nothing but arithmetic.

/** What had been collected at the beginning of each hour, and at the end of the last: one number more than hours. */
export function cumulated(hours) {
  const found = [0];
  for (const tonnes of hours) found.push(found[found.length - 1] + tonnes);
  return hours.length ? found : [];
}

/**
 * What was collected today until now, on the other day until the same time of day, and the change as a share.
 *
 * @param hour hours of the day that are over, with the part of the one that runs; the other day's tonnes of that hour
 *   are taken to have come evenly
 */
export function comparison({ hours, against }, hour) {
  const today = hours.reduce((sum, tonnes) => sum + tonnes, 0);
  if (!against.basis) return { today, other: null, change: null };
  const whole = Math.min(Math.floor(hour), against.hours.length);
  const full = against.hours.slice(0, whole).reduce((sum, tonnes) => sum + tonnes, 0);
  const other = full + (against.hours[whole] ?? 0) * (hour - whole);
  return { today, other, change: other > 0 ? today / other - 1 : null };
}
