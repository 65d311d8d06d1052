// Vehicles over the bridges: the newest, the newest of each bridge, and the newest that was over its limit.

import { get } from "./api.mjs";
import { deviceDetail, kinds } from "./city.mjs";
import { instant } from "./format.mjs";
import { live } from "./live.mjs";
import { named } from "./texts.mjs";

const KIND = "bridge_wim";
const KEPT = 40;
const AGAIN_MS = 10_000;

class PassageWatch extends EventTarget {
  constructor() {
    super();
    this.levels = [];
    this.clear();
    this.names = new Map();
    this.followers = 0;
    this.hear = ({ detail }) => detail.kind === KIND && this.take([detail]);
    this.start = () => this.load();
  }

  clear() {
    this.newest = [];
    this.byBridge = new Map();
    this.over = null;
    this.loaded = false;
  }

  /** The level of an overloaded vehicle by the table of the kind; undefined below the first. */
  level(vehicle) {
    return this.levels.filter((level) => vehicle.values.over_pct >= level.value).pop();
  }

  /** The vehicle that an alarm is about; undefined when it is about none, or about one long gone. */
  of(alarm) {
    if (alarm?.kind !== KIND) return undefined;
    const at = Date.parse(alarm.raised_at);
    return this.newest.find((vehicle) => vehicle.device === alarm.device && vehicle.at === at);
  }

  name(device) {
    if (!this.names.has(device)) {
      this.names.set(device, device);
      const known = (found) => {
        this.names.set(device, named(found.name, device));
        this.tell();
      };
      deviceDetail(device).then(known, () => this.names.delete(device));
    }
    return this.names.get(device) ?? device;
  }

  async follow(scope) {
    this.levels = (await kinds()).get(KIND)?.field("over_pct")?.limits[0]?.levels ?? [];
    if (!scope.open) return;
    this.followers += 1;
    if (this.followers === 1) {
      live.addEventListener("passage", this.hear);
      live.addEventListener("snapshot", this.start);
      this.load();
    }
    scope.add(() => {
      this.followers -= 1;
      if (this.followers) return;
      live.removeEventListener("passage", this.hear);
      live.removeEventListener("snapshot", this.start);
      clearTimeout(this.again);
    });
  }

  /** Ask for what passed before; after a break the pages must not miss what happened in between. */
  async load() {
    clearTimeout(this.again);
    try {
      const least = this.levels[0]?.value;
      const [recent, over] = await Promise.all([
        get("passages", { kind: KIND, limit: KEPT }),
        least === undefined ? { items: [] } : get("passages", { kind: KIND, limit: 1, field: "over_pct", least }),
      ]);
      const known = this.newest;
      this.clear();
      this.loaded = true;
      this.take([...recent.items, ...over.items, ...known]);
    } catch {
      // A store that is away comes back; what passes meanwhile is heard.
      if (this.followers) this.again = setTimeout(() => this.load(), AGAIN_MS);
    }
  }

  take(found) {
    const all = new Map();
    for (const vehicle of [...found, ...this.newest]) {
      const at = instant(vehicle.at);
      if (vehicle.values?.gvw_kg) all.set(`${vehicle.device} ${at}`, { ...vehicle, at });
    }
    const sorted = [...all.values()].sort((a, b) => b.at - a.at);
    for (const vehicle of sorted.toReversed()) {
      if (vehicle.at >= (this.byBridge.get(vehicle.device)?.at ?? 0)) this.byBridge.set(vehicle.device, vehicle);
      if (this.level(vehicle) && vehicle.at >= (this.over?.at ?? 0)) this.over = vehicle;
    }
    this.newest = sorted.slice(0, KEPT);
    this.tell();
  }

  tell() {
    this.dispatchEvent(new Event("change"));
  }
}

export const passageWatch = new PassageWatch();
