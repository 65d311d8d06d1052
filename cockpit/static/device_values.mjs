// Every field of a device with value, unit, quality and time; live ones change as they arrive, the others every half minute.

import { get } from "./api.mjs";
import { kinds } from "./city.mjs";
import { el, setText } from "./dom.mjs";
import { apart, instant, moment } from "./format.mjs";
import { live } from "./live.mjs";
import { named, say } from "./texts.mjs";

const REFRESH_MS = 30_000;
const HEADINGS = ["field", "value", "unit", "quality", "time"];
const NUMERIC = new Set(["value", "time"]);

export async function mount(element, scope) {
  const id = element.dataset.device;
  const table = await kinds();
  const first = await get(`devices/${encodeURIComponent(id)}`);
  const kind = table.get(first.kind);
  if (!scope.open || !kind) return;
  const rows = new Map();
  const bodies = kind.measurements.map((measurement) => {
    const heading = el("tr", { class: "group" }, el("th", { colspan: HEADINGS.length, scope: "rowgroup" }, named(measurement.name)));
    const own = measurement.fields.filter((field) => !rows.has(field.key)).map((field) => {
      const row = new Row(field, Boolean(measurement.passage));
      rows.set(field.key, row);
      return row.element;
    });
    return el("tbody", null, heading, own);
  });
  const head = el("tr", null, HEADINGS.map((key) => el("th", { scope: "col", class: NUMERIC.has(key) ? "numeric" : null }, say(`device.${key}`))));
  element.append(el("table", { class: "facts values" }, el("thead", null, head), bodies));

  const apply = (latest) => {
    for (const [key, reading] of Object.entries(latest ?? {})) rows.get(key)?.show(reading, kind.stale_after_s);
    const passing = [...rows.values()].filter((row) => row.passing);
    const newest = Math.max(0, ...passing.map((row) => row.at ?? 0));
    // One passage at a time: the sixth axle of an earlier lorry is no part of the car that came last.
    for (const row of passing) row.element.hidden = row.at !== newest;
    for (const body of bodies) {
      // A measurement this device does not have (a pole without an environment station) is not shown.
      body.hidden = ![...body.children].some((row) => row.dataset.known);
    }
  };
  apply(first.latest);
  apply(live.devices.get(id));
  scope.listen(live, "snapshot", () => apply(live.devices.get(id)));
  scope.listen(live, "tick", ({ detail }) => detail.devices?.[id] && apply(detail.devices[id]));
  scope.every(REFRESH_MS, () => get(`devices/${encodeURIComponent(id)}`).then((device) => apply(device.latest), () => undefined));
  scope.every(5000, () => rows.forEach((row) => row.age(kind.stale_after_s)));
}

class Row {
  constructor(field, passing) {
    this.field = field;
    this.passing = passing;
    this.value = el("td", { class: "numeric" });
    this.unit = el("td", { class: "quiet" });
    this.quality = el("td");
    this.time = el("td", { class: "numeric quiet" });
    this.element = el("tr", null, el("th", { scope: "row" }, named(field.name)), this.value, this.unit, this.quality, this.time);
    this.element.hidden = true;
  }

  show(reading, staleAfter) {
    const at = instant(reading.at);
    if (this.at && at < this.at) return;
    this.at = at;
    this.word = typeof reading.quality === "number" ? ["good", "uncertain", "bad"][reading.quality] : (reading.quality ?? "good");
    this.element.hidden = false;
    this.element.dataset.known = "true";
    const [figure, unit] = apart(this.field, reading.value);
    setText(this.value, figure);
    setText(this.unit, unit);
    setText(this.time, moment(at, live.now()));
    this.age(staleAfter);
  }

  age(staleAfter) {
    if (!this.at) return;
    // A passage is over when it is told: it does not grow stale.
    const stale = !this.passing && live.now() - this.at > staleAfter * 1000;
    const word = stale && this.word === "good" ? "stale" : this.word;
    setText(this.quality, say(`quality.${word}`));
    this.quality.className = `quality-${word}`;
    this.value.className = `numeric ${word === "bad" ? "is-bad-value" : word === "stale" ? "is-stale-value" : ""}`;
  }
}
