// When the shifts of the duty room change, by the city's own clock.

import { settings } from "./texts.mjs";
import { clockInstant, clockText } from "./time_window.mjs";

const DAY_MS = 86_400_000;

function changes(at) {
  const midnight = clockInstant(`${clockText(at).slice(0, 10)}T00:00:00`);
  return [-1, 0, 1].flatMap((days) => settings.shifts.map((minutes) => midnight + days * DAY_MS + minutes * 60_000));
}

/** When the shift began that runs at an instant. */
export const shiftStart = (at) => Math.max(...changes(at).filter((each) => each <= at));

/** When it ends. */
export const shiftEnd = (at) => Math.min(...changes(at).filter((each) => each > at));
