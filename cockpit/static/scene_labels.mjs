// The words beside devices on the wall's map: in each scene those of the few that matter in it.

import { number, time, tonnes, unitOf } from "./format.mjs";
import { deviceDetail, kinds } from "./city.mjs";
import { positionOf } from "./device_state.mjs";
import { airborne, valuesOf } from "./kind_headlines.mjs";
import { live } from "./live.mjs";
import { passageWatch } from "./passage_watch.mjs";
import { named, say } from "./texts.mjs";

const MOST = { trucks: 6, gas: 6, drones: 12 };
// A detector that shows less is as quiet as any other.
const GAS_WORTH = 5;
// In the whole city's view a bridge speaks only of a vehicle that has just passed.
const RECENT_MS = 15 * 60_000;

/** Returns functions: the devices a scene is about, each with `at`, and `of(topic)`, their labels. */
export function sceneLabels({ known, city }) {
  const ids = (kind) => [...known.values()].filter((place) => place.kind === kind).map((place) => place.id);
  const own = { drone: ids("drone"), refuse_truck: ids("refuse_truck"), gas_alarm: ids("gas_alarm"), bridge_wim: ids("bridge_wim") };
  const names = new Map();
  let gasField = null;
  kinds().then((table) => (gasField = table.get("gas_alarm")?.field("conc_pct_lel")), () => {});
  const name = (id) => {
    if (!names.has(id)) {
      names.set(id, id);
      deviceDetail(id).then((found) => names.set(id, named(found.name, id)), () => names.delete(id));
    }
    return names.get(id) ?? id;
  };
  const placed = (readings) => readings.map((reading) => ({ ...reading, at: positionOf(known.get(reading.id)) })).filter(({ at }) => at);
  const highest = (kind, field, most) => valuesOf(own[kind], field).sort((a, b) => b.value - a.value || (a.id < b.id ? -1 : 1)).slice(0, most);

  const drones = () => placed(airborne(own.drone)).slice(0, MOST.drones);
  const trucks = () => placed(highest("refuse_truck", "load_kg", MOST.trucks).filter(({ value }) => value > 0));
  const gas = () => placed(highest("gas_alarm", "conc_pct_lel", MOST.gas)).map((each) => ({ ...each, worth: each.value >= GAS_WORTH }));
  const bridges = () => placed(own.bridge_wim.map((id) => ({ id })));

  // Names are there before the first scene that needs them.
  for (const id of [...own.bridge_wim, ...own.drone]) name(id);

  const street = (id) => named(city.street.get(known.get(id)?.street)?.name, id);
  const bridgeLabel = ({ id, at }, whole) => {
    const vehicle = passageWatch.byBridge.get(id);
    if (!vehicle || (!whole && live.now() - vehicle.at > RECENT_MS)) return whole ? [{ key: id, at, text: `${name(id)} ${say("device.no_value")}`, className: "map-label-scene" }] : [];
    const level = passageWatch.level(vehicle);
    const mass = tonnes(vehicle.values.gvw_kg);
    const over = level ? ` ${level.priority} +${number(vehicle.values.over_pct)} %` : "";
    const text = whole ? `${name(id)} ${mass}${over} · ${time(vehicle.at)}` : `${mass}${over}`;
    // The worst stand first: where labels would cover each other, these stay.
    return [{ key: id, at, text, rank: vehicle.values.over_pct ?? 0, className: `map-label-scene ${level ? level.priority : ""}` }];
  };
  const bridgeLabels = (whole) => bridges().flatMap((bridge) => bridgeLabel(bridge, whole)).sort((a, b) => (b.rank ?? -1) - (a.rank ?? -1));

  const labels = {
    city: () => bridgeLabels(false),
    bridge_wim: () => bridgeLabels(true),
    drone: () =>
      drones().map(({ id, at }) => {
        const [height, battery] = ["alt_rel_m", "batt_pct"].map((field) => live.value(id, field));
        return { key: id, at, text: say("scene.label_drone", { name: name(id), height: number(height), battery: number(battery) }), className: "map-label-scene" };
      }),
    refuse_truck: () =>
      trucks().map(({ id, at, value }) => ({ key: id, at, text: `${name(id)} ${tonnes(value)} · ${number(live.value(id, "load_pct"))} %`, className: "map-label-scene" })),
    gas_alarm: () =>
      gas().map(({ id, at, value, worth }) => {
        const level = gasField?.limits.find((limit) => limit.of_values)?.levels.filter((each) => value >= each.value).pop();
        return { key: id, at, text: `${street(id)} ${level ? `${level.priority} ` : ""}${number(value, 1)} ${unitOf(gasField)}`, className: `map-label-scene ${level?.priority ?? ""} ${worth ? "" : "is-quiet"}` };
      }),
  };
  return { drones, trucks, gas, bridges, of: (topic) => labels[topic]?.() ?? [] };
}
