// Light poles: the lit rate by night, street and kind of road, against what the municipal rules ask for.

import { get } from "./api.mjs";
import { number } from "./format.mjs";
import { dayChart } from "./kpi_chart.mjs";
import { headline, kpiPanel, table } from "./kpi_panel.mjs";
import { deviceLink, exactPercent, percent, ratioOf, streetLink, streetNames } from "./kpi_words.mjs";
import { say } from "./texts.mjs";

const KIND = "light_pole";
const ROADS = ["main", "branch"];

export async function mount(element, scope) {
  const street = await streetNames();
  await kpiPanel(element, scope, say("kpi.area_light_pole"), (asked) => get(`kpi/${KIND}`, asked), (found, drawing) => [
    headline(exactPercent(found.total.lit), say("kpi.lit_rate"), `${ratioOf(found.total.lit)} ${say("kpi.lamp_minutes")}`),
    dayChart(drawing, {
      label: say("kpi.lit_days"),
      unit: "%",
      points: true,
      high: 100,
      low: 94,
      digits: 1,
      targets: ROADS.filter((road) => found.targets[road]).map((road) => ({ value: found.targets[road] * 100, words: say(`kpi.target_${road}`, { rate: percent(found.targets[road], 0) }) })),
      days: found.days.map(({ day, lit }) => ({ day, value: lit.value === null ? null : lit.value * 100, words: `${exactPercent(lit)} (${ratioOf(lit)})` })),
    }),
    table(
      say("kpi.by_street"),
      [
        { title: say("kpi.street"), cell: (row) => streetLink(row.street, street(row.street)) },
        { title: say("kpi.lamps"), numeric: true, cell: (row) => number(row.lamps) },
        { title: say("kpi.road_main"), numeric: true, cell: (row) => exactPercent(row.main) },
        { title: say("kpi.road_branch"), numeric: true, cell: (row) => exactPercent(row.branch) },
        { title: say("kpi.lit_rate"), numeric: true, cell: (row) => exactPercent(row.lit) },
      ],
      found.streets,
    ),
    table(
      say("kpi.dark_lamps"),
      [
        { title: say("kpi.lamp"), cell: (row) => deviceLink(row.device) },
        { title: say("kpi.street"), cell: (row) => streetLink(row.street, street(row.street)) },
        { title: say("kpi.lamp_minutes"), numeric: true, cell: (row) => ratioOf(row.lit) },
        { title: say("kpi.lit_rate"), numeric: true, cell: (row) => exactPercent(row.lit) },
      ],
      found.lamps,
    ),
  ]);
}
