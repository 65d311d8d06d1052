// The map without WebGL2: the same picture drawn once a second on a 2D canvas, the whole district, no zoom.

import { rem, token } from "./dom.mjs";
import { KIND_SHAPES, PRIORITY_SHAPES } from "./shapes.mjs";

const FILLS = [["district", "--map-street"], ["street", "--map-street"], ["green", "--map-green"], ["water", "--map-water"]];
const LINES = [["road_minor", "--map-road", 0.7], ["road_main", "--map-road", 2.4], ["bridge", "--map-bridge", 3.2], ["street", "--map-edge", 0.9]];
const SIZES = { gas_alarm: 0.14, light_pole: 0.17, refuse_truck: 0.4, drone: 0.6, bridge_wim: 0.65 };

const mercator = (lat) => Math.log(Math.tan(Math.PI / 4 + (lat * Math.PI) / 360)) * (180 / Math.PI);

export async function plainMap(container, { basemap, areas, fixed, shapes, bounds }, scope) {
  const canvas = document.createElement("canvas");
  canvas.className = "map-plain";
  container.append(canvas);
  const shapeOf = new Map(shapes.map(([kind, shape]) => [kind, new Path2D(KIND_SHAPES[shape])]));
  const markOf = new Map(Object.entries(PRIORITY_SHAPES).map(([name, path]) => [name, new Path2D(path)]));
  const states = new Map();
  const tints = new Map();
  let trails = [];
  let moving = [];
  let marks = [];
  let front = null;
  let view = { k: 1, x: 0, y: 0 };
  let ground = null;
  const movers = [];

  const project = ([lon, lat]) => ({ x: lon * view.k + view.x, y: view.y - mercator(lat) * view.k });

  function fit() {
    const ratio = window.devicePixelRatio || 1;
    const { clientWidth: width, clientHeight: height } = container;
    canvas.width = Math.max(1, width * ratio);
    canvas.height = Math.max(1, height * ratio);
    const [[west, south], [east, north]] = bounds;
    const [low, high] = [mercator(south), mercator(north)];
    // Room for labels above and the legend below, as on the other map.
    const [above, below] = [2.2 * rem(), 3.5 * rem()];
    const k = Math.min((0.97 * width) / (east - west), (height - above - below) / (high - low));
    view = { k, x: width / 2 - ((west + east) / 2) * k, y: (height + above - below) / 2 + ((low + high) / 2) * k };
    ground = document.createElement("canvas");
    ground.width = canvas.width;
    ground.height = canvas.height;
    const pen = ground.getContext("2d");
    pen.scale(ratio, ratio);
    drawGround(pen);
    draw();
    movers.forEach((work) => work());
  }

  function trace(pen, geometry) {
    const rings = { Polygon: geometry.coordinates, LineString: [geometry.coordinates] }[geometry.type] ?? geometry.coordinates.flat(geometry.type === "MultiPolygon" ? 1 : 0);
    pen.beginPath();
    for (const ring of rings) {
      ring.forEach((at, i) => {
        const { x, y } = project(at);
        if (i) pen.lineTo(x, y);
        else pen.moveTo(x, y);
      });
    }
  }

  function drawGround(pen) {
    pen.fillStyle = token("--map-ground");
    pen.fillRect(0, 0, canvas.width, canvas.height);
    const of = (name) => basemap.features.filter((f) => f.properties.class === name);
    for (const [name, colour] of FILLS) {
      pen.fillStyle = token(colour);
      for (const feature of of(name)) {
        trace(pen, feature.geometry);
        pen.fill("evenodd");
      }
    }
    for (const [name, colour, width] of LINES) {
      pen.strokeStyle = token(colour);
      pen.lineWidth = (width * rem()) / 16;
      for (const feature of of(name)) {
        trace(pen, feature.geometry);
        pen.stroke();
      }
    }
  }

  function sign(pen, path, at, size, colour, turn = 0) {
    const { x, y } = project(at);
    pen.save();
    pen.translate(x, y);
    pen.rotate((turn * Math.PI) / 180);
    pen.scale(size, size);
    pen.fillStyle = colour;
    pen.fill(path, "evenodd");
    pen.restore();
  }

  function draw() {
    const pen = canvas.getContext("2d");
    const ratio = window.devicePixelRatio || 1;
    const unit = rem() / 16;
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.drawImage(ground, 0, 0);
    pen.scale(ratio, ratio);
    for (const { properties, geometry } of areas.features) {
      const tint = tints.get(properties.id);
      if (!tint) continue;
      [pen.fillStyle, pen.globalAlpha] = tint;
      trace(pen, geometry);
      pen.fill("evenodd");
    }
    pen.globalAlpha = 0.8;
    pen.strokeStyle = token("--data-4");
    pen.lineWidth = 2 * unit;
    for (const { geometry } of trails) {
      trace(pen, geometry);
      pen.stroke();
    }
    const colours = { lit: token("--lit"), unlit: token("--unlit"), dark: token("--ink"), silent: token("--silent"), faulty: token("--health"), unheard: token("--unlit"), idle: token("--silent"), ok: token("--ok") };
    for (const { properties, geometry } of [...fixed.features, ...moving]) {
      pen.globalAlpha = front === null || front === properties.kind ? 1 : 0.15;
      const state = properties.state ?? states.get(properties.id) ?? "unlit";
      const size = (SIZES[properties.kind] ?? 0.4) * unit;
      sign(pen, shapeOf.get(properties.kind), geometry.coordinates, size, colours[state] ?? token("--data-4"), properties.heading);
    }
    pen.globalAlpha = 1;
    for (const { properties, geometry } of marks) {
      const path = markOf.get(properties.mark);
      if (path) sign(pen, path, geometry.coordinates, unit * (properties.mark === "P1" ? 1.1 : 0.7), properties.colour);
    }
  }

  scope.resized(container, fit);
  scope.every(1000, draw);
  return {
    setState: (id, state) => states.set(id, state),
    setMoving: (features) => (moving = features),
    setMarks: (features) => (marks = features),
    emphasise: (kind) => (front = kind),
    setRoutes() {},
    setTrails: (features) => (trails = features),
    tint: (id, colour, opacity) => tints.set(id, opacity ? [colour, opacity] : null),
    look() {},
    project,
    onMove: (work) => movers.push(work),
  };
}
