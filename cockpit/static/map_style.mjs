// The style of the map as a dictionary: no glyphs, no tiles, no address outside this machine. Colours are tokens.

import { token } from "./dom.mjs";

const EMPTY = { type: "FeatureCollection", features: [] };
const ofClass = (...names) => ["in", ["get", "class"], ["literal", names]];
const zoomed = (small, large) => ["interpolate", ["exponential", 1.6], ["zoom"], 11, small, 16, large];
const byState = (values, otherwise) => [
  "match",
  ["coalesce", ["feature-state", "state"], "unlit"],
  ...Object.entries(values).flat(),
  otherwise,
];

/** Sizes in CSS pixels at a root size of 16, multiplied by `scale`, so the map grows with the screen. */
export function mapStyle(basemap, routes, areas, fixed, shapes, scale) {
  const c = token;
  return {
    version: 8,
    sources: {
      basemap: { type: "geojson", data: basemap, tolerance: 0.2 },
      routes: { type: "geojson", data: routes, tolerance: 0.6 },
      areas: { type: "geojson", data: areas, promoteId: "id" },
      trails: { type: "geojson", data: EMPTY, tolerance: 0 },
      fixed: { type: "geojson", data: fixed, promoteId: "id" },
      moving: { type: "geojson", data: EMPTY },
      marks: { type: "geojson", data: EMPTY },
    },
    layers: [
      { id: "ground", type: "background", paint: { "background-color": c("--map-ground") } },
      fill("district", "district", c("--map-street")),
      fill("streets", "street", c("--map-street")),
      fill("green", "green", c("--map-green")),
      fill("water", "water", c("--map-water")),
      {
        id: "areas",
        type: "fill",
        source: "areas",
        paint: {
          "fill-color": ["to-color", ["coalesce", ["feature-state", "colour"], c("--map-street")]],
          "fill-opacity": ["coalesce", ["feature-state", "opacity"], 0],
        },
      },
      line("street-edges", ["street", "district"], c("--map-edge"), 0.9 * scale, 1.4 * scale),
      line("roads-minor", ["road_minor"], c("--map-road"), 0.7 * scale, 5 * scale),
      line("roads-main", ["road_main"], c("--map-road"), 2.4 * scale, 12 * scale),
      line("bridges", ["bridge"], c("--map-bridge"), 3.2 * scale, 14 * scale),
      {
        id: "routes",
        type: "line",
        source: "routes",
        filter: ["==", ["get", "class"], "drone_route"],
        paint: { "line-color": c("--map-route"), "line-width": 0.8 * scale, "line-opacity": 0.35 },
      },
      {
        id: "rounds",
        type: "line",
        source: "routes",
        filter: ["==", ["get", "class"], "truck_round"],
        layout: { visibility: "none" },
        paint: { "line-color": c("--map-route"), "line-width": 0.8 * scale, "line-opacity": 0.35 },
      },
      {
        id: "routes-now",
        type: "line",
        source: "routes",
        filter: ["in", ["get", "id"], ["literal", []]],
        layout: { "line-cap": "round", "line-join": "round" },
        paint: { "line-color": c("--data"), "line-width": 2 * scale, "line-opacity": 0.75, "line-dasharray": [2, 1.6] },
      },
      {
        id: "trails",
        type: "line",
        source: "trails",
        layout: { "line-cap": "round", "line-join": "round" },
        paint: { "line-color": c("--data-4"), "line-width": 2.2 * scale, "line-opacity": 0.8 },
      },
      {
        id: "lamps",
        type: "circle",
        source: "fixed",
        filter: ["==", ["get", "kind"], "light_pole"],
        paint: {
          "circle-radius": zoomed(1.5 * scale, 6 * scale),
          "circle-color": byState({ lit: c("--lit"), dark: c("--ground"), silent: c("--ground"), faulty: c("--health") }, c("--unlit")),
          "circle-stroke-color": byState({ dark: c("--ink"), silent: c("--silent") }, c("--ground")),
          "circle-stroke-width": byState({ dark: 1.1 * scale, silent: 0.9 * scale }, 0),
        },
      },
      ...shapes.filter(([kind]) => kind !== "light_pole").map(([kind, shape, moving]) => symbols(kind, shape, moving, scale)),
      ring(scale),
      marks(scale),
    ],
  };

  function fill(id, name, colour) {
    return { id, type: "fill", source: "basemap", filter: ofClass(name), paint: { "fill-color": colour } };
  }

  function line(id, names, colour, thin, thick) {
    return {
      id,
      type: "line",
      source: "basemap",
      filter: ofClass(...names),
      layout: { "line-cap": "round", "line-join": "round" },
      paint: { "line-color": colour, "line-width": zoomed(thin, thick) },
    };
  }
}

// In the whole city's view three thousand gas alarms are specks and twelve bridges are signs.
const SIZES = { gas_alarm: 0.14, refuse_truck: 0.52, drone: 0.8, bridge_wim: 0.85, drone_dock: 0.5, gateway: 0.42 };

function symbols(kind, shape, moving, scale) {
  const size = (SIZES[kind] ?? 0.5) * scale;
  return {
    id: `kind-${kind}`,
    type: "symbol",
    source: moving ? "moving" : "fixed",
    filter: ["==", ["get", "kind"], kind],
    layout: {
      "icon-image": `shape-${shape}`,
      "icon-size": zoomed(size, Math.max(size * 1.8, 0.8 * scale)),
      "icon-allow-overlap": true,
      "icon-ignore-placement": true,
      "icon-padding": 0,
      ...(moving ? { "icon-rotate": ["get", "heading"], "icon-rotation-alignment": "map" } : {}),
    },
    paint: {
      "icon-color": moving
        ? ["match", ["get", "state"], "silent", token("--silent"), "unheard", token("--unlit"), "faulty", token("--health"), "idle", token("--silent"), token("--data-4")]
        : byState({ silent: token("--silent"), unheard: token("--unlit"), unlit: token("--unlit"), faulty: token("--health") }, token("--ok")),
      "icon-opacity": kind === "gas_alarm" ? 0.65 : 1,
    },
  };
}

// Dark enough that a sign is seen over those of its neighbours.
const RING = 0.7;
const inRing = ["in", ["get", "mark"], ["literal", ["P1", "P2", "P3", "P4"]]];

/**
 * The two looks of what flashes: a coloured sign in a ring, and a dark sign on a coloured disc; none of them is faint. One
 * layer holds what flashes and what does not, so that the more urgent lies above in any case.
 */
export function flashing(on) {
  const look = (usual, other) => (on ? usual : ["case", ["==", ["get", "flash"], 1], other, usual]);
  return [
    ["ring", "circle-color", look(token("--ground"), ["get", "colour"])],
    ["ring", "circle-opacity", look(RING, 0.95)],
    ["marks", "icon-color", look(["get", "colour"], ["case", inRing, token("--ground"), ["get", "colour"]])],
    ["marks", "icon-opacity", look(1, ["case", inRing, 1, 0.6])],
  ];
}

function ring(scale) {
  return {
    id: "ring",
    type: "circle",
    source: "marks",
    filter: inRing,
    layout: { "circle-sort-key": ["-", 10, ["get", "rank"]] },
    paint: {
      "circle-radius": ["match", ["get", "mark"], "P1", 17 * scale, "P2", 13 * scale, "P3", 9 * scale, 7 * scale],
      "circle-color": token("--ground"),
      "circle-opacity": RING,
      "circle-stroke-color": ["get", "colour"],
      "circle-stroke-width": ["match", ["get", "mark"], "P1", 3 * scale, "P2", 2.2 * scale, 1.5 * scale],
    },
  };
}

function marks(scale) {
  const size = ["match", ["get", "mark"], "P1", 0.62 * scale, "P2", 0.52 * scale, "P3", 0.42 * scale, "silent", 0.22 * scale, 0.32 * scale];
  return {
    id: "marks",
    type: "symbol",
    source: "marks",
    layout: {
      "icon-image": ["concat", "mark-", ["get", "mark"]],
      "icon-size": size,
      "icon-allow-overlap": true,
      "icon-ignore-placement": true,
      "symbol-sort-key": ["-", 10, ["get", "rank"]],
    },
    paint: { "icon-color": ["get", "colour"] },
  };
}
