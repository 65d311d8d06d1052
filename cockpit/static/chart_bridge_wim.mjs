// Bridges: the last vehicles, every axle where it stands and its load to scale, the total against the limit.

import { get } from "./api.mjs";
import { Sheet } from "./canvas.mjs";
import { ChartHead } from "./chart_head.mjs";
import { deviceDetail, kinds, places } from "./city.mjs";
import { number, time, tonnes } from "./format.mjs";
import { valuesOf } from "./kind_headlines.mjs";
import { live } from "./live.mjs";
import { named, say } from "./texts.mjs";

const KEPT = 12;
// One scale for all vehicles: the tallest bar is 16 tonnes, the longest road train 20 metres.
const TALLEST_KG = 16_000;
const LONGEST_M = 20;
// Where a station does not send the distances between axles: those of common vehicles.
const USUAL_GAPS = { 2: [4.8], 3: [4.2, 1.35], 4: [1.9, 3.9, 1.35], 5: [3.6, 6.2, 1.3, 1.3], 6: [3.2, 1.35, 6.2, 1.3, 1.3] };

export async function mount(panel, scope) {
  const [table, known] = await Promise.all([kinds(), places()]);
  const kind = table.get("bridge_wim");
  if (!kind) return;
  const head = new ChartHead(panel, kind, scope);
  const sheet = new Sheet(panel, `${named(kind.name)} ${say("wall.last_vehicles")}`);
  const ids = [...known.values()].filter((p) => p.kind === "bridge_wim").map((p) => p.id);
  const names = new Map();
  let vehicles = [];
  const limits = kind.field("over_pct")?.limits[0]?.levels ?? [];
  const draw = () => {
    const today = valuesOf(ids, "passes_today").reduce((sum, r) => sum + r.value, 0);
    head.show(say("wall.last_vehicles"), today ? say("wall.today", { count: number(today) }) : "");
    drawVehicles(sheet, vehicles, limits, (id) => names.get(id) ?? id);
  };
  const add = (found) => {
    for (const { device } of found) {
      if (!names.has(device)) {
        names.set(device, device);
        deviceDetail(device).then((d) => { names.set(device, named(d.name, device)); draw(); }, () => names.delete(device));
      }
    }
    vehicles = [...found, ...vehicles].slice(0, KEPT);
    draw();
  };
  scope.resized(sheet.box, draw);
  scope.listen(live, "passage", ({ detail }) => ids.includes(detail.device) && add([detail]));
  scope.listen(live, "snapshot", async () => {
    vehicles = [];
    add(await recent());
  });
  vehicles = [];
  add(await recent());
}

async function recent() {
  try {
    return (await get("passages", { kind: "bridge_wim", limit: KEPT })).items;
  } catch {
    // The next vehicle fills the picture.
    return [];
  }
}

function drawVehicles(sheet, vehicles, limits, name) {
  const pen = sheet.begin();
  if (!pen) return;
  const em = sheet.unit;
  const shown = vehicles.filter((v) => v.values?.gvw_kg);
  if (!shown.length) return sheet.text(say("wall.no_passage"), sheet.width / 2, sheet.height / 2, { align: "center" });
  const rows = Math.max(1, Math.min(shown.length, Math.floor(sheet.height / (4.1 * em))));
  const height = sheet.height / rows;
  shown.slice(0, rows).forEach((vehicle, i) => drawVehicle(sheet, vehicle, i * height, height, limits, name(vehicle.device)));
}

function drawVehicle(sheet, { device, at, values }, top, height, limits, name) {
  const em = sheet.unit;
  const words = 13.4 * em;
  const reached = limits.filter((level) => values.over_pct >= level.value).pop();
  const colour = reached ? `--${reached.priority.toLowerCase()}` : "--ink";
  const middle = top + height / 2;
  sheet.text(`${tonnes(values.gvw_kg)}`, 0, middle - 0.35 * em, { size: 1.3, weight: 700, colour });
  const judged = reached ? `${reached.priority} ${say("wall.vehicle_over", { pct: number(values.over_pct) })}` : say("wall.vehicle_ok");
  sheet.text(judged, 5.1 * em, middle - 0.35 * em, { size: 0.95, weight: 600, colour: reached ? colour : "--quiet" });
  sheet.text(`${time(at)} ${name}`, 0, middle + 1 * em, { size: 0.95 });
  drawAxles(sheet, values, words, top, height, colour);
}

function drawAxles(sheet, values, left, top, height, colour) {
  const { pen, unit: em } = sheet;
  const count = Math.round(values.axle_count ?? 0);
  if (count < 2) return;
  const gaps = [];
  for (let n = 1; n < count; n++) gaps.push(values[`axle_gap${n}_m`] ?? USUAL_GAPS[count]?.[n - 1] ?? 1.35);
  const scale = (sheet.width - left - 1.4 * em) / LONGEST_M;
  const ground = top + height - 0.75 * em;
  const tallest = height - 2.1 * em;
  let x = left + 1 * em;
  const start = x;
  const wheels = [x, ...gaps.map((gap) => (x += gap * scale))];
  pen.strokeStyle = sheet.colour("--line-strong");
  pen.lineWidth = em * 0.12;
  pen.strokeRect(start - 0.7 * em, ground - 0.62 * em, wheels[count - 1] - start + 1.4 * em, 0.3 * em);
  const roomy = Math.min(...gaps) * scale > 1.9 * em;
  wheels.forEach((wheel, i) => {
    const load = values[`axle${i + 1}_kg`];
    pen.fillStyle = sheet.colour("--quiet");
    pen.beginPath();
    pen.arc(wheel, ground, em * 0.28, 0, 7);
    pen.fill();
    if (!Number.isFinite(load)) return;
    const bar = Math.min(1, load / TALLEST_KG) * tallest;
    pen.fillStyle = sheet.colour(colour === "--ink" ? "--data" : colour);
    pen.fillRect(wheel - em * 0.32, ground - 0.75 * em - bar, em * 0.64, bar);
    const own = roomy || i === 0 || wheel - wheels[i - 1] > 1.9 * em || i === count - 1;
    if (own) sheet.text(number(load / 1000, 1), wheel, ground - 0.95 * em - bar, { size: 0.9, align: "center", colour: "--ink" });
  });
}
