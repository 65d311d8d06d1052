// How many of the lamps that should burn do, street by street, from the live values.

import { places } from "./city.mjs";
import { lampCount } from "./kind_headlines.mjs";

/** Returns a function that counts: [{key, due, lit}] of the streets where lamps should burn, the darkest first. */
export async function streetLamps() {
  const byStreet = new Map();
  for (const place of (await places()).values()) {
    if (place.kind !== "light_pole") continue;
    if (!byStreet.has(place.street)) byStreet.set(place.street, []);
    byStreet.get(place.street).push(place.id);
  }
  return () =>
    [...byStreet]
      .map(([key, ids]) => ({ key, ...lampCount(ids) }))
      .filter(({ due }) => due)
      .sort((a, b) => a.lit / a.due - b.lit / b.due || (a.key < b.key ? -1 : 1));
}
