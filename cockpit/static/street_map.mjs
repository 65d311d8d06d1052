// The streets of the site drawn from their outlines: a base for a heat map, or for one place. Words lie over it as HTML.

import { el, svg } from "./dom.mjs";
import { named, say } from "./texts.mjs";

const WIDE = 1000;

/** Make the drawing; null when the site has no outlines. */
export function streetMap(city) {
  const streets = [...city.street.values()].filter((street) => street.polygon?.length);
  if (!streets.length) return null;
  const points = streets.flatMap((street) => street.polygon);
  const [west, east] = span(points.map((point) => point[0]));
  const [south, north] = span(points.map((point) => point[1]));
  const shrink = Math.cos(((south + north) / 2) * (Math.PI / 180));
  const high = (WIDE * (north - south)) / ((east - west) * shrink);
  const project = ([lon, lat]) => [((lon - west) / (east - west)) * WIDE, ((north - lat) / (north - south)) * high];
  const shapes = new Map(streets.map((street) => [street.key, svg("polygon", { points: street.polygon.map((at) => project(at).map((n) => n.toFixed(1)).join(",")).join(" ") })]));
  const drawing = svg("svg", { viewBox: `-4 -4 ${WIDE + 8} ${high + 8}`, "aria-hidden": "true" }, [...shapes.values()]);
  const over = el("div", { class: "street-words" });
  const note = city.simulated ? el("span", { class: "street-note" }, say("shell.schematic")) : null;
  const element = el("div", { class: "street-map", style: `aspect-ratio:${WIDE + 8}/${high + 8}` }, drawing, over, note);
  const put = (at, child) => {
    const [x, y] = project(at);
    child.style.left = `${((x + 4) / (WIDE + 8)) * 100}%`;
    child.style.top = `${((y + 4) / (high + 8)) * 100}%`;
    over.append(child);
  };
  return {
    element,
    streets,
    shape: (key) => shapes.get(key),
    put,
    middle: (street) => centroid(street.polygon),
    highlight: (key) => shapes.get(key)?.classList.add("is-here"),
    pin: (at) => put(at, el("span", { class: "street-pin", role: "img", "aria-label": say("cases.position") })),
    name: (street) => named(street.name),
  };
}

const span = (values) => [Math.min(...values), Math.max(...values)];

/** The centre of an area; the mean of its corners would lie where most of them are. */
function centroid(ring) {
  let [area, x, y] = [0, 0, 0];
  ring.forEach(([x1, y1], i) => {
    const [x2, y2] = ring[(i + 1) % ring.length];
    const cross = x1 * y2 - x2 * y1;
    area += cross;
    x += (x1 + x2) * cross;
    y += (y1 + y2) * cross;
  });
  return area ? [x / (3 * area), y / (3 * area)] : ring[0];
}
