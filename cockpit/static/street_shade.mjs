// The colour that lies over a street: how well it is lit at night, or the colour of its most urgent case.

import { token } from "./dom.mjs";

// Below this share of burning lamps a street is as dark as the map can show.
const DARKEST = 0.85;
const HEAT = { red: 0.5, amber: 0.42, green: 0.26 };
export const WORST_FIRST = ["red", "amber", "green"];

/** {colour, opacity} of a street of which a share of the lamps that should burn does: from a warm gleam to black. */
export function litShade(share) {
  const light = Math.min(1, Math.max(0, (share - DARKEST) / (1 - DARKEST)));
  // A fifth of the way down the gleam is gone; from there the street sinks below the ground of the map.
  if (light >= 0.8) return { name: "--map-lit", opacity: round(0.14 * ((light - 0.8) / 0.2) + 0.01) };
  return { name: "--map-unlit", opacity: round(0.25 + 0.65 * ((0.8 - light) / 0.8)) };
}

/** {colour, opacity} of a street by the counts of its open cases; null when it has none whose clock runs. */
export function heatShade(counts) {
  const worst = WORST_FIRST.find((colour) => counts?.[colour]);
  return worst ? { name: `--due-${worst}`, opacity: HEAT[worst] } : null;
}

export const painted = (shade) => [token(shade?.name ?? "--map-street"), shade?.opacity ?? 0];

const round = (value) => Math.round(value * 1000) / 1000;
