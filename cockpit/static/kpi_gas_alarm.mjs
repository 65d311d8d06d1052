// Gas: how soon its alarms were acknowledged, by day, priority and street.

import { get } from "./api.mjs";
import { priorityText } from "./alarms.mjs";
import { number } from "./format.mjs";
import { dayChart } from "./kpi_chart.mjs";
import { kpiDesk } from "./kpi_desk.mjs";
import { headline, kpiPanel, table } from "./kpi_panel.mjs";
import { link, records, seconds, streetLink, streetNames } from "./kpi_words.mjs";
import { say } from "./texts.mjs";

const KIND = "gas_alarm";
const ALL = "P1,P2,P3,P4";

export async function mount(element, scope) {
  const street = await streetNames();
  const alarms = (row, more) => {
    const { from_at, to_at } = kpiDesk.period;
    return link(records("alarms", { state: "all", kind: KIND, priority: ALL, from: from_at, to: to_at, street: kpiDesk.street, ...more }), number(row.alarms));
  };
  const columns = (first, more) => [
    first,
    { title: say("kpi.alarms"), numeric: true, cell: (row) => alarms(row, more(row)) },
    { title: say("kpi.acked"), numeric: true, cell: (row) => number(row.acked) },
    { title: say("kpi.median"), numeric: true, cell: (row) => seconds(row.median_s) },
    { title: say("kpi.p95"), numeric: true, cell: (row) => seconds(row.p95_s) },
  ];
  await kpiPanel(element, scope, say("kpi.area_gas_alarm"), (asked) => get(`kpi/${KIND}`, asked), (found, drawing) => [
    headline(seconds(found.total.median_s), say("kpi.ack_median"), `${say("kpi.acked")} ${number(found.total.acked)} / `, alarms(found.total, {}), ` · ${say("kpi.p95")} ${seconds(found.total.p95_s)}`),
    dayChart(drawing, {
      label: say("kpi.ack_days"),
      unit: say("kpi.unit_minutes"),
      digits: 1,
      days: found.days.map(({ day, median_s, acked, alarms: count }) => ({ day, value: median_s === null ? null : median_s / 60, words: `${seconds(median_s)} (${acked} / ${count})` })),
    }),
    table(say("kpi.by_priority"), columns({ title: say("kpi.priority"), cell: (row) => priorityText(row.priority) }, (row) => ({ priority: row.priority })), found.priorities),
    table(say("kpi.by_street"), columns({ title: say("kpi.street"), cell: (row) => streetLink(row.street, street(row.street)) }, (row) => ({ street: row.street })), found.streets),
  ]);
}
