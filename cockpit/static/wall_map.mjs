// What the scenes of a wall do to its map: where it looks, which kind stands out, what lies over the streets, which
// devices carry words; and the routes under way and the trails of what moves.

import { colourMark } from "./case_words.mjs";
import { caseWatch } from "./case_watch.mjs";
import { routes } from "./city.mjs";
import { el } from "./dom.mjs";
import { number } from "./format.mjs";
import { airborne } from "./kind_headlines.mjs";
import { exactPercent } from "./kpi_words.mjs";
import { live } from "./live.mjs";
import { boxAround } from "./map_camera.mjs";
import { passageWatch } from "./passage_watch.mjs";
import { sceneLabels } from "./scene_labels.mjs";
import { stage } from "./stage.mjs";
import { streetLamps } from "./street_lamps.mjs";
import { heatShade, litShade, painted, WORST_FIRST } from "./street_shade.mjs";
import { Trails } from "./trails.mjs";

const WORDS_MS = 1_000;
const SHADES_MS = 2_000;
const TRAILS_MS = 3_000;
// So long the bridges' scene looks closely at the one where the last overloaded vehicle passed.
const RECENT_MS = 15 * 60_000;
// Below this share a street is named as a dark one: the rule for branch roads.
const WELL_LIT = 0.96;
// Where the light of streets belongs to the picture; in other scenes it would only compete with it.
const NIGHT = ["city", "alarm", "light_pole"];
const NEAREST = { alarm: 13.2, bridge_wim: 13.4, gas_alarm: 13.6, drone: 13.4, refuse_truck: 13.2 };

export async function wallMap({ map, labels, surface, city, known, words, streetNames }, scope) {
  const [lamps, lines] = await Promise.all([streetLamps(), routes()]);
  if (!scope.open) return;
  const devices = (kind) => [...known.values()].filter((place) => place.kind === kind).map((place) => place.id);
  const drones = devices("drone");
  const shown = sceneLabels({ known, city });
  const trails = new Trails([...drones, ...devices("refuse_truck")], known, scope);
  const line = new Map(lines.features.map((feature) => [feature.properties.id, feature]));
  const round = new Map(lines.features.filter((feature) => feature.properties.truck).map((feature) => [feature.properties.truck, feature.properties.id]));
  const flown = () => airborne(drones).flatMap(({ id }) => line.get(live.value(id, "route_id")) ?? []);

  const underWay = () => {
    if (stage.topic === "refuse_truck") return shown.trucks().flatMap(({ id }) => round.get(id) ?? []);
    return ["city", "drone", "alarm"].includes(stage.topic) ? flown().map((feature) => feature.properties.id) : [];
  };
  const box = () => {
    const places = {
      alarm: () => [words.position(stage.alarm)],
      drone: () => [...shown.drones().map(({ at }) => at), ...flown().flatMap((feature) => feature.geometry.coordinates)],
      refuse_truck: () => shown.trucks().map(({ at }) => at),
      bridge_wim: () => {
        const bridges = shown.bridges();
        const last = bridges.filter(({ id }) => id === passageWatch.over?.device && live.now() - passageWatch.over.at < RECENT_MS);
        return (last.length ? last : bridges).map(({ at }) => at);
      },
      gas_alarm: () => shown.gas().filter(({ worth }) => worth).map(({ at }) => at),
    }[stage.topic]?.().filter(Boolean);
    return places?.length ? boxAround(places) : null;
  };
  const look = () => {
    const banner = stage.alarm ? document.querySelector(".takeover.is-shown") : null;
    const cover = banner ? Math.max(0, banner.getBoundingClientRect().bottom - surface.getBoundingClientRect().top) : 0;
    map.look(box(), { nearest: NEAREST[stage.topic], cover });
  };
  const shade = () => {
    const lit = new Map(lamps().map((each) => [each.key, each]));
    const heat = stage.topic === "cases";
    const night = NIGHT.includes(stage.topic);
    for (const street of city.street.values()) {
      const own = lit.get(street.key);
      const found = heat ? heatShade(caseWatch.counts?.streets[street.key]) : own && night ? litShade(own.lit / own.due) : null;
      map.tint(street.key, ...painted(found));
    }
    if (stage.topic === "cases") labels.set("street", streetNames.map((label) => heatLabel(label, caseWatch.counts?.streets[label.key] ?? {})));
    else if (stage.topic === "light_pole") labels.set("street", streetNames.map((label) => litLabel(label, lit.get(label.key))));
    else labels.set("street", streetNames);
  };
  const say = () => {
    labels.set("scene", shown.of(stage.topic));
    map.setRoutes(underWay());
  };
  const turn = () => {
    map.emphasise(stage.alarm ? null : stage.kind);
    look();
    shade();
    say();
  };
  scope.listen(stage, "scene", turn);
  scope.listen(live, "snapshot", () => {
    trails.clear();
    turn();
  });
  scope.listen(caseWatch, "change", () => stage.topic === "cases" && shade());
  scope.every(SHADES_MS, shade);
  scope.every(WORDS_MS, say);
  scope.every(TRAILS_MS, () => map.setTrails(trails.features()));
  await passageWatch.follow(scope);
  turn();
}

function heatLabel(label, counts) {
  const present = WORST_FIRST.filter((colour) => counts[colour]);
  if (!present.length) return label;
  const build = () => [el("span", null, label.text), ...present.map((colour) => el("b", { class: `due-${colour}` }, colourMark(colour), number(counts[colour])))];
  return { ...label, text: `${label.text} ${present.map((colour) => counts[colour]).join()}`, build, className: `map-label-street map-label-heat heat-${present[0]}` };
}

function litLabel(label, lamps) {
  if (!lamps) return label;
  const share = lamps.lit / lamps.due;
  const text = `${label.text} ${exactPercent({ numerator: lamps.lit, denominator: lamps.due, value: share })}`;
  return { ...label, text, className: `map-label-street map-label-lit ${share < WELL_LIT ? "is-dark" : ""}` };
}
