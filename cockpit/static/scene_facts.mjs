// The line that each scene says about itself: figures with unit and time, from the live values and the day's indicators.

import { caseWatch } from "./case_watch.mjs";
import { kinds, places, site } from "./city.mjs";
import { number, time, tonnes, unitOf } from "./format.mjs";
import { airborne, valuesOf } from "./kind_headlines.mjs";
import { exactPercent } from "./kpi_words.mjs";
import { live } from "./live.mjs";
import { streetLamps } from "./street_lamps.mjs";
import { named, say } from "./texts.mjs";
import { isUnacked } from "./urgency.mjs";
import { wallFigures } from "./wall_figures.mjs";

/** Returns a function from the key of a scene to its line. */
export async function factsOf() {
  const [table, known, city, lamps] = await Promise.all([kinds(), places(), site(), streetLamps()]);
  const ids = (kind) => [...known.values()].filter((place) => place.kind === kind).map((place) => place.id);
  const own = new Map([...table.keys()].map((kind) => [kind, ids(kind)]));
  const street = (key) => named(city.street.get(key)?.name, key);
  const online = (kind) => live.summary?.kinds?.[kind] ?? { online: 0, total: 0 };

  const facts = {
    city() {
      const all = Object.values(live.summary?.kinds ?? {});
      const open = live.openAlarms();
      return say("scene.facts_city", {
        online: number(live.gone ? NaN : all.reduce((sum, kind) => sum + kind.online, 0)),
        total: number(all.reduce((sum, kind) => sum + kind.total, 0)),
        open: number(open.length),
        unacked: number(open.filter(isUnacked).length),
      });
    },
    drone() {
      const count = number(airborne(own.get("drone")).length);
      const day = wallFigures.of("drone")?.total.coverage;
      if (!day?.denominator) return say("scene.facts_drone_only", { count });
      return say("scene.facts_drone", { count, km: number(day.numerator, 1), planned: number(day.denominator, 1), share: exactPercent(day) });
    },
    refuse_truck() {
      const load = valuesOf(own.get("refuse_truck"), "load_kg");
      const moving = valuesOf(own.get("refuse_truck"), "speed_kmh").filter(({ value }) => value > 1).length;
      return say("scene.facts_refuse_truck", { moving: number(moving), online: number(online("refuse_truck").online), load: tonnes(load.reduce((sum, { value }) => sum + value, 0)) });
    },
    bridge_wim() {
      const day = wallFigures.of("bridge_wim");
      if (!day?.total.overload.denominator) return say("scene.facts_bridge_wim_none", { online: number(online("bridge_wim").online), total: number(online("bridge_wim").total) });
      const { numerator, denominator } = day.total.overload;
      return say("scene.facts_bridge_wim", { passed: number(denominator), over: number(numerator), share: exactPercent(day.total.overload, 2), time: time(day.at) });
    },
    light_pole() {
      const streets = lamps();
      const night = wallFigures.of("light_pole")?.total.lit;
      if (!streets.length) return night?.denominator ? say("scene.facts_light_pole_day", { share: exactPercent(night, 2) }) : say("scene.facts_light_pole_off");
      const [due, lit] = ["due", "lit"].map((key) => streets.reduce((sum, each) => sum + each[key], 0));
      const darkest = streets[0];
      const words = { due: number(due), lit: number(lit), share: exactPercent({ numerator: lit, denominator: due, value: lit / due }) };
      if (darkest.lit === darkest.due) return say("scene.facts_light_pole_all", words);
      return say("scene.facts_light_pole", { ...words, street: street(darkest.key), dark: number(darkest.due - darkest.lit) });
    },
    gas_alarm() {
      const field = table.get("gas_alarm").field("conc_pct_lel");
      const readings = valuesOf(own.get("gas_alarm"), field.key).sort((a, b) => b.value - a.value);
      const { online: well, total } = online("gas_alarm");
      const words = { online: number(well), total: number(total) };
      if (!readings.length) return say("scene.facts_gas_alarm_none", words);
      const first = field.limits.find((limit) => limit.of_values)?.levels[0]?.value ?? Infinity;
      const above = readings.filter(({ value }) => value >= first).length;
      const value = `${number(readings[0].value, 1)} ${unitOf(field)}`;
      return say("scene.facts_gas_alarm", { ...words, value, street: street(known.get(readings[0].id)?.street), time: time(readings[0].at), above: number(above), limit: `${number(first)} ${unitOf(field)}` });
    },
    cases() {
      const colours = caseWatch.counts?.colours ?? {};
      const [green, amber, red] = ["green", "amber", "red"].map((key) => number(colours[key] ?? 0));
      return say("scene.facts_cases", { open: number(caseWatch.items.length), green, amber, red });
    },
  };
  return (key) => (live.gone && own.has(key) ? say("wall.not_kept") : (facts[key]?.() ?? ""));
}
