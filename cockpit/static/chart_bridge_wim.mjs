// Bridges: the last overloaded vehicle from the side, to scale, each group of axles with its load and limit; and, when
// the scene is theirs, the vehicles that passed last.

import { apart, sideView } from "./axles.mjs";
import { Sheet } from "./canvas.mjs";
import { ChartHead, emptyWords } from "./chart_head.mjs";
import { kinds } from "./city.mjs";
import { el, setText } from "./dom.mjs";
import { moment, number, time, tonnes } from "./format.mjs";
import { live } from "./live.mjs";
import { passageWatch } from "./passage_watch.mjs";
import { stage } from "./stage.mjs";
import { named, say } from "./texts.mjs";
import { wallFigures } from "./wall_figures.mjs";

const LISTED = 9;

export async function mount(panel, scope) {
  const kind = (await kinds()).get("bridge_wim");
  if (!kind) return;
  const head = new ChartHead(panel, kind, scope);
  const words = el("p", { class: "chart-words" });
  panel.append(words);
  const sheet = new Sheet(panel, `${named(kind.name)} ${say("wall.axle_loads")}`);
  const rows = el("ol", { class: "chart-rows only-front", "aria-label": say("wall.last_vehicles") });
  panel.append(rows);
  const empty = el("p", { class: "chart-empty" });
  panel.append(empty);
  const draw = () => {
    const vehicle = passageWatch.of(stage.alarm) ?? passageWatch.over ?? passageWatch.newest[0];
    panel.classList.toggle("is-empty", !vehicle);
    setText(empty, vehicle || !(passageWatch.loaded || live.gone) ? "" : emptyWords("wall.no_passage"));
    list(rows);
    if (!vehicle) return head.show(say("wall.last_vehicles"), "");
    const level = passageWatch.level(vehicle);
    const { values } = vehicle;
    panel.dataset.pass = values.pass_id ?? "";
    head.show(say(level ? "wall.last_overloaded" : "wall.last_vehicle"), tonnes(values.gvw_kg), level?.priority);
    words.replaceChildren(
      el("b", { class: level ? `tone ${level.priority}` : "" }, level ? `${level.priority} ${say("wall.vehicle_over", { pct: number(values.over_pct, 1) })}` : say("wall.vehicle_ok")),
      el("span", null, Number.isFinite(values.limit_kg) ? say("wall.vehicle_limit", { limit: tonnes(values.limit_kg) }) : ""),
      el("span", { class: "numeric" }, moment(vehicle.at, live.now())),
      el("span", null, passageWatch.name(vehicle.device)),
      el("span", { class: "plate" }, values.plate_hash ? say("wall.plate", { plate: values.plate_hash.slice(0, 8) }) : say("wall.no_plate")),
    );
    drawVehicle(sheet, values);
  };
  scope.resized(sheet.box, draw);
  scope.listen(passageWatch, "change", draw);
  scope.listen(live, "snapshot", draw);
  scope.listen(stage, "scene", draw);
  wallFigures.follow("bridge_wim", scope);
  await passageWatch.follow(scope);
  draw();
}

function list(rows) {
  if (!rows.offsetParent) return;
  const shown = passageWatch.newest.slice(0, LISTED);
  rows.replaceChildren(
    ...shown.map((vehicle) => {
      const level = passageWatch.level(vehicle);
      return el(
        "li",
        null,
        el("span", { class: "numeric" }, time(vehicle.at)),
        el("span", { class: "row-name" }, passageWatch.name(vehicle.device)),
        el("span", { class: "numeric" }, say("wall.axles", { count: number(vehicle.values.axle_count ?? NaN) })),
        el("b", { class: "numeric" }, tonnes(vehicle.values.gvw_kg)),
        el("span", { class: level ? `numeric tone ${level.priority}` : "numeric quiet" }, level ? `${level.priority} +${number(vehicle.values.over_pct)} %` : say("wall.vehicle_ok")),
      );
    }),
  );
}

function drawVehicle(sheet, values) {
  const pen = sheet.begin();
  if (!pen) return;
  const em = sheet.unit;
  const view = sideView(values, { width: sheet.width, height: sheet.height, em });
  if (!view) return sheet.text(say("wall.no_axles"), sheet.width / 2, sheet.height / 2, { align: "center" });
  // For whoever looks at the drawing with other means than eyes.
  sheet.canvas.dataset.view = JSON.stringify({ perM: view.perM, perKg: view.perKg, wheels: view.wheels.map(({ x, load_kg, bar }) => [x, load_kg, bar.height]), groups: view.groups });
  const box = ({ x, y, width, height }, colour) => {
    pen.fillStyle = sheet.colour(colour);
    pen.fillRect(x, y, width, height);
  };
  if (!view.low) {
    box(view.body, "--line");
    box(view.cab, "--line-strong");
  }
  box(view.chassis, "--line-strong");
  for (const { x, y, r } of view.wheels) {
    pen.fillStyle = sheet.colour("--quiet");
    pen.beginPath();
    pen.arc(x, y, r, 0, 7);
    pen.fill();
  }
  sheet.line(0, view.ground, sheet.width, view.ground, "--line-strong", em * 0.1);
  for (const group of view.groups) drawGroup(sheet, view, group);
  nameGroups(sheet, view);
  if (!view.low) scales(sheet, view);
}

function drawGroup(sheet, view, group) {
  const { pen, unit: em } = sheet;
  const wheels = view.wheels.slice(group.first, group.last + 1);
  for (const { x, bar } of wheels) {
    const within = Math.min(bar.height, Math.max(0, group.limitY - bar.top));
    pen.fillStyle = sheet.colour("--data");
    pen.fillRect(x - bar.width / 2, bar.top, bar.width, within);
    if (bar.height <= within) continue;
    // What lies over the share of the limit is hatched, so that it shows without colour.
    pen.fillStyle = sheet.colour("--ink");
    pen.fillRect(x - bar.width / 2, bar.top + within, bar.width, bar.height - within);
    pen.fillStyle = sheet.colour("--panel");
    for (let y = bar.top + within + 0.15 * em; y < bar.top + bar.height; y += 0.35 * em) pen.fillRect(x - bar.width / 2, y, bar.width, 0.12 * em);
  }
  sheet.line(group.from - 0.35 * em, group.limitY, group.to + 0.35 * em, group.limitY, "--ink", em * 0.14);
}

/** The load of each group and its limit below its bars; groups that stand close push each other's words apart. */
function nameGroups(sheet, view) {
  const em = sheet.unit;
  const words = view.groups.map((group) => {
    const limit = number(group.limit_kg / 1000, group.limit_kg % 1000 ? 1 : 0);
    const load = group.load_kg === null ? say("device.no_value") : tonnes(group.load_kg);
    const lines = view.low ? [`${number((group.load_kg ?? NaN) / 1000, 1)} / ${limit} ${say("unit.tonne")}`] : [load, say("wall.group_limit", { limit })];
    sheet.type(1.125, 700);
    return { lines, over: group.over, at: (group.from + group.to) / 2, width: Math.max(...lines.map((line) => sheet.pen.measureText(line).width)) };
  });
  apart(words, sheet.width, 0.6 * em).forEach((middle, i) => {
    const style = { align: "center", colour: "--ink", weight: words[i].over ? 700 : 400 };
    const [first, second] = words[i].lines;
    if (view.low) return sheet.text(first, middle, view.wordsY + 1.15 * em, style);
    sheet.text(first, middle, view.wordsY + 1.2 * em, { ...style, size: 1.125, weight: 700 });
    sheet.text(second, middle, view.wordsY + 2.45 * em, style);
  });
}

/** What five metres are in this drawing. */
function scales(sheet, view) {
  const em = sheet.unit;
  const metres = 5 * view.perM;
  const y = view.ground + 0.9 * em;
  const x = sheet.width - metres;
  sheet.line(x, y, sheet.width, y, "--quiet", em * 0.1);
  for (const end of [x, sheet.width]) sheet.line(end, y - 0.25 * em, end, y + 0.25 * em, "--quiet", em * 0.1);
  sheet.text(say("wall.scale_m"), sheet.width, y + 1.3 * em, { align: "right" });
}
