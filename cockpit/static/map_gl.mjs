// The map on WebGL2: MapLibre with an inline style; marker states are feature-state, moving devices a source of their own.

import { rem } from "./dom.mjs";
import { cameraFor } from "./map_camera.mjs";
import { shapeImages } from "./map_images.mjs";
import { flashing, mapStyle } from "./map_style.mjs";
import { say } from "./texts.mjs";
import * as maplibre from "./vendor/maplibre-gl/maplibre-gl.mjs";

const FLASH_MS = 700;
const DIMMED = 0.12;
// Room around what the camera looks at: for its sign and the label above it.
const MARGIN = 80;
// Parts of a source that are kept when they are out of view. MapLibre's own number is five views' worth of every source,
// some of them of three thousand devices: a wall whose camera follows alarms fills it for hours. What is not kept is cut
// again, in a worker, from what the page holds anyway.
const KEPT_TILES = 4;

export function webgl2() {
  return Boolean(document.createElement("canvas").getContext("webgl2"));
}

/** Make the map; see map_panel.mjs for what it is told. Resolves when its style stands. */
export async function glMap(container, { basemap, routes, areas, fixed, shapes, bounds, interactive, onPick }, scope) {
  // On a phone's small map the signs shrink too, or they would hide the city.
  const scale = (rem() / 16) * Math.min(1, Math.max(0.6, container.clientWidth / (44 * rem())));
  // Room for the labels above the topmost alarm and for the legend at the foot.
  const padding = { top: 36 * scale, right: 12 * scale, bottom: (container.clientWidth > 500 ? 56 : 12) * scale, left: 12 * scale };
  const map = new maplibre.Map({
    container,
    style: mapStyle(basemap, routes, areas, fixed, shapes, scale),
    bounds,
    fitBoundsOptions: { padding },
    interactive,
    attributionControl: false,
    dragRotate: false,
    pitchWithRotate: false,
    fadeDuration: 0,
    maxZoom: 17,
    minZoom: 9,
    maxTileCacheSize: KEPT_TILES,
    locale: { "NavigationControl.ZoomIn": say("map.zoom_in"), "NavigationControl.ZoomOut": say("map.zoom_out") },
  });
  scope.add(() => map.remove());
  if (interactive) {
    map.touchZoomRotate.disableRotation();
    map.addControl(new maplibre.NavigationControl({ showCompass: false }), "top-right");
  }
  for (const [name, image] of shapeImages()) map.addImage(name, image, { sdf: true, pixelRatio: 2 });
  await new Promise((resolve) => map.once("load", resolve));

  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  let target = { box: bounds, nearest: Infinity, cover: 0 };
  let home = true;
  let on = true;
  const looks = { true: flashing(true), false: flashing(false) };
  if (!calm) {
    scope.every(FLASH_MS, () => {
      if (!flashes) return;
      on = !on;
      for (const [layer, property, look] of looks[on]) map.setPaintProperty(layer, property, look);
      container.dataset.flash = on ? "on" : "inverse";
    });
  }
  let flashes = false;
  for (const type of ["dragstart", "wheel"]) map.on(type, () => (home = false));
  const camera = () => {
    const { clientWidth: width, clientHeight: height } = container;
    const inset = { ...padding, top: Math.max(padding.top, target.cover) };
    return cameraFor(target.box, { width, height, inset, margin: MARGIN * scale }, bounds, target.nearest);
  };
  map.on("resize", () => home && map.jumpTo(camera()));

  const pickable = ["marks", ...shapes.map(([kind]) => (kind === "light_pole" ? "lamps" : `kind-${kind}`))];
  if (interactive) {
    const near = (point) => {
      const box = [
        [point.x - 5, point.y - 5],
        [point.x + 5, point.y + 5],
      ];
      return map.queryRenderedFeatures(box, { layers: pickable })[0]?.properties;
    };
    map.on("click", (event) => {
      const found = near(event.point);
      if (found) onPick(found.id);
    });
    map.on("mousemove", (event) => (map.getCanvas().style.cursor = near(event.point) ? "pointer" : ""));
  }

  const states = new Map();
  const tints = new Map();
  let routesNow = "";
  // Whoever needs the finished picture, as measurements and screenshots do, reads here how many devices it shows.
  map.on("idle", () => {
    if (states.size) container.dataset.drawn = String(states.size);
  });
  return {
    setState(id, state) {
      if (states.get(id) === state) return;
      states.set(id, state);
      map.setFeatureState({ source: "fixed", id }, { state });
    },
    setMoving: (features) => map.getSource("moving").setData({ type: "FeatureCollection", features }),
    setMarks(features) {
      flashes = features.some((feature) => feature.properties.flash);
      map.getSource("marks").setData({ type: "FeatureCollection", features });
    },
    emphasise(kind) {
      for (const [own] of shapes) {
        const shown = kind === null || own === kind || (kind === "drone" && own === "drone_dock");
        if (own === "light_pole") {
          map.setPaintProperty("lamps", "circle-opacity", shown ? 1 : DIMMED);
          map.setPaintProperty("lamps", "circle-stroke-opacity", shown ? 1 : DIMMED);
        } else map.setPaintProperty(`kind-${own}`, "icon-opacity", shown ? (own === "gas_alarm" && kind === null ? 0.65 : 1) : DIMMED);
      }
      map.setPaintProperty("routes", "line-opacity", kind === "drone" ? 0.7 : kind === null ? 0.35 : 0.08);
      map.setLayoutProperty("rounds", "visibility", kind === "refuse_truck" ? "visible" : "none");
    },
    /** Draw these routes and rounds as those that are under way. */
    setRoutes(ids) {
      const key = ids.join();
      if (key === routesNow) return;
      routesNow = key;
      map.setFilter("routes-now", ["in", ["get", "id"], ["literal", ids]]);
    },
    setTrails: (features) => map.getSource("trails").setData({ type: "FeatureCollection", features }),
    /** Lay a colour over a street; opacity 0 takes it away. */
    tint(id, colour, opacity) {
      const key = opacity ? `${colour} ${opacity}` : "";
      if ((tints.get(id) ?? "") === key) return;
      tints.set(id, key);
      map.setFeatureState({ source: "areas", id }, { colour, opacity });
    },
    /** Look at a box, or at the whole city; `cover` pixels of the top are hidden by something else. */
    look(box, { nearest = 13.2, cover = 0 } = {}) {
      target = { box: box ?? bounds, nearest: box ? nearest + Math.log2(scale) : Infinity, cover };
      home = true;
      map.flyTo({ ...camera(), duration: calm ? 0 : 2000, essential: true });
    },
    project: (lonlat) => map.project(lonlat),
    onMove: (work) => map.on("move", work),
  };
}
