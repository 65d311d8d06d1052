// The map of a page: gathers the city, keeps every device's state up to date, and lays names and alarm labels over it.

import { alarmWords } from "./alarms.mjs";
import { basemap, kinds, places, routes, site } from "./city.mjs";
import { deviceState, faultyDevices, isSilent, positionOf } from "./device_state.mjs";
import { el, token } from "./dom.mjs";
import { live } from "./live.mjs";
import { glMap, webgl2 } from "./map_gl.mjs";
import { LabelLayer } from "./map_labels.mjs";
import { pick } from "./map_card.mjs";
import { legend } from "./map_legend.mjs";
import { plainMap } from "./map_plain.mjs";
import { named, say } from "./texts.mjs";
import { timeWindow } from "./time_window.mjs";
import { isUnacked, rank, worstByDevice } from "./urgency.mjs";
import { wallMap } from "./wall_map.mjs";

const LABELLED_ALARMS = 6;

export async function mount(element, scope) {
  const [city, table, known, ground, lines, words] = await Promise.all([site(), kinds(), places(), basemap(), routes(), alarmWords()]);
  if (!scope.open) return;
  const fixed = [...known.values()].filter((p) => !table.get(p.kind)?.moving && Number.isFinite(p.lat) && Number.isFinite(p.lon));
  const moving = [...known.values()].filter((p) => table.get(p.kind)?.moving);
  const shapes = drawingOrder(table);
  const surface = el("div", { class: "map-surface", role: element.dataset.interactive ? "region" : "img", "aria-label": say("map.label") });
  element.append(surface);
  const map = await (webgl2() ? glMap : plainMap)(
    surface,
    {
      basemap: ground,
      routes: lines,
      areas: streetAreas(city),
      fixed: collection(fixed.map((p) => feature([p.lon, p.lat], { id: p.id, kind: p.kind }))),
      shapes,
      bounds: extent(city, fixed),
      interactive: element.dataset.interactive === "true",
      onPick: (id) => pick(element, known.get(id), id),
    },
    scope,
  );
  if (!scope.open) return;
  const labels = new LabelLayer(element, map);
  element.append(...corners(city, table));
  const streetNames = streetLabels(city);
  labels.set("street", streetNames);

  const showFixed = (ids) => {
    const faulty = faultyDevices();
    for (const id of ids) {
      const place = known.get(id);
      if (place && !table.get(place.kind)?.moving) map.setState(id, deviceState(id, place.kind, faulty));
    }
  };
  const showMoving = () => {
    const faulty = faultyDevices();
    map.setMoving(moving.flatMap((place) => movingFeature(place, faulty)));
  };
  // Whose figure stands on the map, and who carries an alarm about.
  let followed = new Set();
  const showMarks = () => {
    const worst = worstByDevice(live.alarms.values());
    const unacked = new Set([...live.alarms.values()].filter(isUnacked).map((alarm) => alarm.device));
    map.setMarks(markFeatures(worst, unacked, known, words));
    const urgent = [...worst.values()].filter((a) => rank(a.priority) < 2).sort((a, b) => rank(a.priority) - rank(b.priority));
    const labelled = urgent.slice(0, LABELLED_ALARMS);
    followed = new Set([...labelled.map((alarm) => alarm.device), ...moving.map((place) => place.id).filter((id) => worst.has(id))]);
    labels.set("alarm", labelled.flatMap((alarm) => alarmLabel(alarm, words)));
  };

  let marksDue = true;
  scope.listen(live, "snapshot", () => {
    showFixed(fixed.map((p) => p.id));
    showMoving();
    marksDue = true;
  });
  scope.listen(live, "tick", ({ detail }) => {
    showFixed([...Object.keys(detail.devices ?? {}), ...Object.keys(detail.online ?? {})]);
    const told = Object.keys(detail.devices ?? {}).some((id) => followed.has(id));
    if (told || Object.keys(detail.online ?? {}).length) marksDue = true;
    showMoving();
  });
  scope.listen(live, "alarm", ({ detail }) => {
    showFixed([detail.alarm.device]);
    marksDue = true;
  });
  // A storm of alarms is drawn at most twice a second.
  scope.every(500, () => {
    if (!marksDue) return;
    marksDue = false;
    showMarks();
  });
  if (live.ready) {
    showFixed(fixed.map((p) => p.id));
    showMoving();
  }
  // Only a wall turns scenes; elsewhere the map is the reader's.
  if (element.dataset.scenes) await wallMap({ map, labels, surface, city, known, words, streetNames }, scope);
}

const feature = (coordinates, properties) => ({ type: "Feature", geometry: { type: "Point", coordinates }, properties });
const collection = (features) => ({ type: "FeatureCollection", features });

/** Many and small below, few and large above, what moves on top. */
function drawingOrder(table) {
  const layer = (kind) => (kind.moving ? 3 : { gas_alarm: 0, light_pole: 1 }[kind.key] ?? 2);
  return [...table.values()].sort((a, b) => layer(a) - layer(b)).map((kind) => [kind.key, kind.shape, kind.moving]);
}

function extent(city, devices) {
  const corners = city.districts.flatMap((d) => (d.streets ?? []).flatMap((s) => s.polygon ?? []));
  const points = corners.length ? corners : devices.map((p) => [p.lon, p.lat]);
  const lons = points.map((p) => p[0]);
  const lats = points.map((p) => p[1]);
  if (!points.length) return [[-180, -60], [180, 70]];
  return [
    [Math.min(...lons), Math.min(...lats)],
    [Math.max(...lons), Math.max(...lats)],
  ];
}

function movingFeature(place, faulty) {
  const at = positionOf(place);
  if (!at) return [];
  const values = live.devices.get(place.id);
  const heading = values?.heading_deg?.value ?? 0;
  const idle = place.kind === "drone" && [0, 14].includes(values?.mode?.value ?? 0);
  const state = deviceState(place.id, place.kind, faulty);
  return [feature(at, { id: place.id, kind: place.kind, heading, state: state === "ok" && idle ? "idle" : state })];
}

function markFeatures(worst, unacked, known, words) {
  const found = [];
  for (const alarm of worst.values()) {
    const own = known.get(alarm.device);
    const at = (own && positionOf(own)) || words.position(alarm);
    if (!at) continue;
    const colour = token(`--${alarm.priority.toLowerCase()}`);
    found.push(feature(at, { id: alarm.device, mark: alarm.priority, flash: unacked.has(alarm.device) && !timeWindow.past ? 1 : 0, rank: rank(alarm.priority), colour }));
  }
  for (const [id, online] of live.online) {
    const own = !online && isSilent(id) ? known.get(id) : null;
    const at = own && !worst.has(id) && positionOf(own);
    if (at) found.push(feature(at, { id, mark: "silent", flash: 0, rank: 9, colour: token("--silent") }));
  }
  return found;
}

function alarmLabel(alarm, words) {
  const at = words.position(alarm);
  return at ? [{ key: alarm.id, at, text: `${words.what(alarm)} ${words.standing(alarm)}`, className: `map-label-alarm ${alarm.priority}` }] : [];
}

function streetLabels(city) {
  return city.districts.flatMap((district) =>
    (district.streets ?? [])
      .filter((street) => street.polygon?.length)
      .map((street) => {
        const n = street.polygon.length;
        const at = [0, 1].map((axis) => street.polygon.reduce((sum, point) => sum + point[axis], 0) / n);
        return { key: street.key, at, text: named(street.name), className: "map-label-street" };
      }),
  );
}

function streetAreas(city) {
  const streets = [...city.street.values()].filter((street) => street.polygon?.length);
  return collection(streets.map((street) => ({ type: "Feature", id: street.key, geometry: { type: "Polygon", coordinates: [[...street.polygon, street.polygon[0]]] }, properties: { id: street.key } })));
}

function corners(city, table) {
  const plain = webgl2() ? [] : [el("div", { class: "map-note" }, say("map.plain"))];
  const schematic = city.simulated ? [el("div", { class: "map-schematic" }, say("shell.schematic"))] : [];
  return [...schematic, legend(table), ...plain];
}
