// What does not change while a page is open: the site, its kinds and where its devices stand. Fetched once.

import { get } from "./api.mjs";

const kept = new Map();

function once(key, load) {
  if (!kept.has(key)) {
    const loading = load();
    // A failed start is tried again by whoever asks next.
    loading.catch(() => kept.delete(key));
    kept.set(key, loading);
  }
  return kept.get(key);
}

export const site = () =>
  once("site", async () => {
    const found = await get("site");
    found.street = new Map(found.districts.flatMap((d) => (d.streets ?? []).map((s) => [s.key, s])));
    return found;
  });

/** Kinds by key; each with `field(key)` and `fields` in the order of the table. */
export const kinds = () =>
  once("kinds", async () => {
    const { items } = await get("kinds");
    return new Map(
      items.map((kind) => {
        const fields = kind.measurements.flatMap((m) => m.fields);
        const byKey = new Map();
        for (const field of fields) if (!byKey.has(field.key)) byKey.set(field.key, field);
        return [kind.key, { ...kind, fields, field: (key) => byKey.get(key) }];
      }),
    );
  });

/** Devices by id: {id, kind, lat, lon, street, registered}. */
export const places = () =>
  once("places", async () => {
    const { columns, rows } = await get("map/devices");
    return new Map(rows.map((row) => [row[0], Object.fromEntries(columns.map((name, i) => [name, row[i]]))]));
  });

async function optional(path) {
  try {
    return await get(path);
  } catch (error) {
    if (error.status === 404) return { type: "FeatureCollection", features: [] };
    throw error;
  }
}

export const basemap = () => once("basemap", () => optional("map/basemap"));
export const routes = () => once("routes", () => optional("map/routes"));

/** Names and posts of one device, fetched when a page first needs them and kept for a while. */
const details = new Map();
export async function deviceDetail(id) {
  if (!details.has(id)) {
    if (details.size > 500) details.clear();
    const loading = get(`devices/${encodeURIComponent(id)}`);
    loading.catch(() => details.delete(id));
    details.set(id, loading);
  }
  return details.get(id);
}
