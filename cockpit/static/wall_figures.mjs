// The day's indicators of each kind for the wall, from the same API as the page of indicators; asked for once a minute.

import { get } from "./api.mjs";
import { isoDay } from "./format.mjs";
import { live } from "./live.mjs";

const ASK_MS = 60_000;
const SOON_MS = 5_000;
const DAY_MS = 86_400_000;
const PATHS = {
  drone: () => ["kpi/drone"],
  refuse_truck: () => ["kpi/refuse_truck/hours"],
  bridge_wim: () => ["kpi/bridge_wim"],
  // A night lies on two days.
  light_pole: () => ["kpi/light_pole", { from: isoDay(live.now() - DAY_MS) }],
};

class WallFigures extends EventTarget {
  constructor() {
    super();
    this.found = new Map();
    this.timers = new Map();
    this.followers = new Map();
  }

  /** The last answer about a kind, or null. */
  of(kind) {
    return this.found.get(kind) ?? null;
  }

  follow(kind, scope) {
    const count = (this.followers.get(kind) ?? 0) + 1;
    this.followers.set(kind, count);
    if (count === 1) this.ask(kind);
    scope.add(() => {
      this.followers.set(kind, this.followers.get(kind) - 1);
      if (!this.followers.get(kind)) clearTimeout(this.timers.get(kind));
    });
  }

  async ask(kind) {
    let wait = ASK_MS;
    try {
      const figures = await get(...PATHS[kind]());
      if (figures.waiting) wait = SOON_MS;
      this.found.set(kind, figures);
      this.dispatchEvent(new CustomEvent("change", { detail: { kind } }));
    } catch {
      // What was known stays with its time; the next answer takes its place.
      wait = SOON_MS;
    }
    if (this.followers.get(kind)) this.timers.set(kind, setTimeout(() => this.ask(kind), wait));
  }
}

export const wallFigures = new WallFigures();
