// What the shapes and colours of the map mean.

import { shortPriority } from "./alarms.mjs";
import { el } from "./dom.mjs";
import { kindMark, mark, PRIORITY_SHAPES } from "./shapes.mjs";
import { named, say } from "./texts.mjs";
import { PRIORITIES } from "./urgency.mjs";

export function legend(table) {
  const kinds = [...table.values()].map((kind) => el("li", null, kindMark(kind.shape), named(kind.name)));
  const lamps = ["lit", "unlit", "dark", "silent"].map((state) => el("li", null, el("i", { class: `dot dot-${state}` }), say(`map.${state}`)));
  const alarms = PRIORITIES.map((priority) =>
    el("li", { class: `priority ${priority}` }, mark(PRIORITY_SHAPES[priority]), shortPriority(priority)),
  );
  return el(
    "div",
    { class: "map-legend", role: "note", "aria-label": say("map.legend") },
    el("ul", null, kinds),
    el("ul", null, lamps, el("li", null, el("i", { class: "dash" }), say("map.route"))),
    el("ul", null, alarms),
  );
}
