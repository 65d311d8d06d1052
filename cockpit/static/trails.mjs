// Where what moves has been in the last minutes, from its own reports; bounded, for a wall stands for months.

import { positionOf } from "./device_state.mjs";
import { live } from "./live.mjs";

const KEPT_MS = 180_000;
const STEP_MS = 4_000;
const MOST = KEPT_MS / STEP_MS;
// Less than this is no way, only the receiver's own noise.
const LEAST_DEGREES = 5e-5;

export class Trails {
  constructor(ids, known, scope) {
    this.places = new Map(ids.map((id) => [id, known.get(id)]));
    this.ways = new Map();
    scope.every(STEP_MS, () => this.look(live.now()));
  }

  clear() {
    this.ways.clear();
  }

  look(now) {
    for (const place of this.places.values()) {
      const at = live.online.get(place.id) === false ? null : positionOf(place);
      const way = this.ways.get(place.id) ?? [];
      while (way.length && (way[0].now < now - KEPT_MS || way.length >= MOST)) way.shift();
      const last = way[way.length - 1];
      const moved = at && (!last || Math.hypot(at[0] - last.at[0], at[1] - last.at[1]) > LEAST_DEGREES);
      if (moved) way.push({ at, now });
      if (way.length) this.ways.set(place.id, way);
      else this.ways.delete(place.id);
    }
  }

  features() {
    const found = [];
    for (const [id, way] of this.ways) {
      const here = positionOf(this.places.get(id));
      const coordinates = [...way.map(({ at }) => at), ...(here ? [here] : [])];
      if (way.length > 1) found.push({ type: "Feature", geometry: { type: "LineString", coordinates }, properties: { id } });
    }
    return found;
  }
}
