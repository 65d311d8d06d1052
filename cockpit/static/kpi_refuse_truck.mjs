// Refuse: tonnes by day and street, the trucks with most alarms, and the red and black list.

import { get } from "./api.mjs";
import { el } from "./dom.mjs";
import { number } from "./format.mjs";
import { dayChart } from "./kpi_chart.mjs";
import { kpiDesk } from "./kpi_desk.mjs";
import { headline, kpiPanel, table } from "./kpi_panel.mjs";
import { deviceLink, link, records, streetLink, streetNames } from "./kpi_words.mjs";
import { say } from "./texts.mjs";

const KIND = "refuse_truck";

export async function mount(element, scope) {
  const street = await streetNames();
  await kpiPanel(element, scope, say("kpi.area_refuse_truck"), (asked) => get(`kpi/${KIND}`, asked), (found, drawing) => {
    const alarms = (row, more) => {
      const { from_at, to_at } = kpiDesk.period;
      return link(records("alarms", { state: "all", rule: found.rules.join(","), from: from_at, to: to_at, street: kpiDesk.street, ...more }), number(row.alarms));
    };
    const figures = (more) => [
      { title: say("kpi.tonnes"), numeric: true, cell: (row) => number(row.tonnes, 1) },
      { title: say("kpi.lifts"), numeric: true, cell: (row) => number(row.lifts) },
      { title: say("kpi.alarms"), numeric: true, cell: (row) => alarms(row, more(row)) },
    ];
    return [
      headline(`${number(found.total.tonnes, 1)} ${say("unit.tonne")}`, say("kpi.collected"), `${say("kpi.lifts")} ${number(found.total.lifts)} · ${say("kpi.alarms")} `, alarms(found.total, {})),
      dayChart(drawing, {
        label: say("kpi.tonnes_days"),
        unit: say("unit.tonne"),
        digits: found.days.every(({ tonnes }) => tonnes < 100) ? 1 : 0,
        days: found.days.map(({ day, tonnes, lifts }) => ({ day, value: lifts ? tonnes : null, words: `${number(tonnes, 1)} ${say("unit.tonne")} (${number(lifts)})` })),
      }),
      table(
        say("kpi.red_black"),
        [
          { title: say("kpi.street"), cell: (row) => [streetLink(row.street, street(row.street)), row.listed && el("span", { class: "tag" }, say(`cases.listed_${row.listed}`))] },
          ...figures((row) => ({ street: row.street })),
          { title: say("kpi.per_100_t"), numeric: true, cell: (row) => (row.per_100_t === null ? say("device.no_value") : number(row.per_100_t, 1)) },
        ],
        found.streets,
      ),
      el("p", { class: "quiet kpi-rule" }, say("kpi.red_black_rule")),
      table(say("kpi.by_truck"), Object.assign([{ title: say("kpi.truck"), cell: (row) => deviceLink(row.device) }, ...figures((row) => ({ device: row.device }))], { open: false }), found.trucks),
    ];
  });
}
