// Drones: how many kilometres of the patrol routes were flown, by day, street and route.

import { get } from "./api.mjs";
import { el } from "./dom.mjs";
import { number } from "./format.mjs";
import { dayChart } from "./kpi_chart.mjs";
import { headline, kpiPanel, table } from "./kpi_panel.mjs";
import { deviceLink, percent, ratioOf, streetLink, streetNames } from "./kpi_words.mjs";
import { named, say } from "./texts.mjs";

const KIND = "drone";

export async function mount(element, scope) {
  const street = await streetNames();
  const columns = (first) => [
    first,
    { title: say("kpi.km_flown"), numeric: true, cell: (row) => ratioOf(row.coverage, 1) },
    { title: say("kpi.coverage"), numeric: true, cell: (row) => percent(row.coverage.value) },
  ];
  await kpiPanel(element, scope, say("kpi.area_drone"), (asked) => get(`kpi/${KIND}`, asked), (found, drawing) => [
    headline(percent(found.total.coverage.value), say("kpi.route_coverage"), `${ratioOf(found.total.coverage, 1)} ${say("unit.km")} · ${say("kpi.routes_flown")} ${ratioOf(found.total.flown)}`),
    found.forgotten ? el("p", { class: "notice" }, say("kpi.forgotten", { days: number(found.forgotten) })) : null,
    dayChart(drawing, {
      label: say("kpi.coverage_days"),
      unit: "%",
      digits: 1,
      days: found.days.map(({ day, coverage }) => ({ day, value: coverage.value === null ? null : coverage.value * 100, words: `${percent(coverage.value)} (${ratioOf(coverage, 1)} ${say("unit.km")})` })),
    }),
    table(say("kpi.by_street"), columns({ title: say("kpi.street"), cell: (row) => streetLink(row.street, street(row.street)) }), found.streets),
    table(
      say("kpi.least_flown", { count: number(found.routes.length), all: number(found.routes_in_all) }),
      [...columns({ title: say("kpi.route"), cell: (row) => named(row.name, row.route) }), { title: say("kpi.dock"), cell: (row) => deviceLink(row.dock) }],
      found.routes,
    ),
  ]);
}
