// A tile per kind: online of total, alarming, faulty, silent, and the kind's headline; on the overview and on the wall.

import { kinds, places } from "./city.mjs";
import { el, setText } from "./dom.mjs";
import { number, time } from "./format.mjs";
import { headline } from "./kind_headlines.mjs";
import { live } from "./live.mjs";
import { stage } from "./stage.mjs";
import { kindMark } from "./shapes.mjs";
import { named, say } from "./texts.mjs";

const COUNTS = ["alarming", "faulty", "silent"];

export async function mount(element, scope) {
  const [table, known] = await Promise.all([kinds(), places()]);
  const ids = new Map([...table.keys()].map((key) => [key, []]));
  for (const place of known.values()) ids.get(place.kind)?.push(place.id);
  const tiles = new Map();
  for (const kind of tileOrder(table)) {
    if (!ids.get(kind.key).length) continue;
    const tile = new Tile(kind, ids.get(kind.key), element.dataset.big ? "h2" : "h3");
    tiles.set(kind.key, tile);
    element.append(tile.element);
  }
  const at = el("p", { class: "tiles-at quiet" });
  element.append(at);
  const show = () => {
    if (!live.summary) return;
    for (const [key, tile] of tiles) tile.show(live.summary.kinds?.[key]);
    setText(at, say("overview.at", { time: time(live.summary.at ?? live.now()) }));
  };
  show();
  scope.listen(live, "summary", show);
  const front = () => {
    for (const [key, tile] of tiles) tile.element.classList.toggle("is-front", key === stage.kind);
  };
  front();
  scope.listen(stage, "scene", front);
}

/** The five kinds of the charts first, in that order, then those that serve them. */
function tileOrder(table) {
  const first = ["gas_alarm", "bridge_wim", "light_pole", "refuse_truck", "drone", "drone_dock", "gateway"];
  const place = (kind) => (first.includes(kind.key) ? first.indexOf(kind.key) : 5.5);
  return [...table.values()].sort((a, b) => place(a) - place(b));
}

class Tile {
  constructor(kind, ids, heading) {
    this.kind = kind;
    this.ids = ids;
    this.online = el("b");
    this.total = el("span", { class: "of" });
    this.value = el("b");
    this.unit = el("span", { class: "unit" });
    this.label = el("span", { class: "tile-label" });
    this.counts = new Map(COUNTS.map((key) => [key, el("b")]));
    this.cells = new Map(COUNTS.map((key) => [key, el("span", { class: `count count-${key}` }, this.counts.get(key), say(`count.${key}`))]));
    this.element = el(
      "article",
      { class: "tile", "data-tile": kind.key },
      el(heading, null, kindMark(kind.shape), el("span", null, named(kind.name))),
      el("p", { class: "tile-online" }, el("span", { class: "label" }, say("count.online")), this.online, this.total),
      el("p", { class: "tile-head" }, this.value, this.unit, this.label),
      el("p", { class: "tile-counts" }, ...this.cells.values()),
    );
  }

  show(counts) {
    const found = headline(this.kind, this.ids);
    setText(this.value, found?.text ?? "");
    setText(this.unit, found?.unit ?? "");
    setText(this.label, found?.label ?? "");
    if (!counts) return;
    setText(this.total, `/ ${number(counts.total)}`);
    // Alarms are told of any time; who was heard is not.
    const told = live.gone ? { ...counts, online: NaN, silent: NaN } : counts;
    setText(this.online, number(told.online));
    for (const key of COUNTS) {
      setText(this.counts.get(key), number(told[key] ?? 0));
      this.cells.get(key).classList.toggle("is-zero", !told[key]);
    }
  }
}
