// Short histories for the charts of the wall: fetched once per device and field, then continued by the live ticks.

import { get } from "./api.mjs";
import { live } from "./live.mjs";

const WIDTH = 300;

export class Trends {
  constructor(field, windowMs, scope) {
    this.field = field;
    this.windowMs = windowMs;
    this.lines = new Map();
    scope.listen(live, "tick", ({ detail }) => this.extend(detail.devices ?? {}));
    // After a break the ticks do not tell what happened in between: ask the history again.
    scope.listen(live, "snapshot", () => this.lines.clear());
  }

  /** Keep exactly the histories of these devices. */
  follow(ids) {
    for (const id of this.lines.keys()) if (!ids.includes(id)) this.lines.delete(id);
    for (const id of ids) if (this.lines.get(id)?.failed ?? true) this.load(id);
  }

  points(id) {
    return this.lines.get(id)?.points ?? [];
  }

  async load(id) {
    const line = { points: this.points(id), failed: false };
    this.lines.set(id, line);
    try {
      const stop = live.now();
      const found = await get(`devices/${encodeURIComponent(id)}/series`, {
        field: this.field,
        start: Math.round(stop - this.windowMs),
        stop: Math.round(stop),
        width: WIDTH,
      });
      const past = found.points.map(([at, value]) => [at, value]);
      const last = past.length ? past[past.length - 1][0] : 0;
      line.points = [...past, ...line.points.filter(([at]) => at > last)];
      // What was told a moment ago may not be stored yet, and is not told again.
      this.extend({ [id]: live.devices.get(id) });
    } catch {
      // The next choice of devices asks again; until then the line grows from the ticks alone.
      line.failed = true;
    }
  }

  extend(devices) {
    const since = live.now() - this.windowMs;
    // As fine as the history, whatever the pace of the device: the points of a line stay as few as they began.
    const step = this.windowMs / WIDTH;
    for (const [id, line] of this.lines) {
      const { points } = line;
      const reading = devices[id]?.[this.field];
      const last = points[points.length - 1];
      if (Number.isFinite(reading?.value) && reading.at > (last?.[0] ?? 0)) {
        const before = points[points.length - 2];
        if (before && last[0] - before[0] < step) points.pop();
        points.push([reading.at, reading.value]);
      }
      while (points.length && points[0][0] < since) points.shift();
    }
  }
}
