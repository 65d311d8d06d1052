// The monthly ranking of the streets: the month in which the period ends.

import { get } from "./api.mjs";
import { el } from "./dom.mjs";
import { number } from "./format.mjs";
import { kpiDesk } from "./kpi_desk.mjs";
import { headline, kpiPanel, table } from "./kpi_panel.mjs";
import { link, percent, records } from "./kpi_words.mjs";
import { named, say } from "./texts.mjs";

export async function mount(element, scope) {
  const load = () => get("cases/ranking", { month: kpiDesk.period.month });
  await kpiPanel(element, scope, say("kpi.area_ranking"), load, (found) => {
    const month = { from: kpiDesk.period.month_from, to: kpiDesk.period.month_to };
    const part = (row, key) => {
      const ratio = row.indicators[key];
      return [percent(ratio.value, 0), " ", link(records("cases", { share: key, part: "denominator", street: row.street, ...month }), `${number(ratio.numerator)} / ${number(ratio.denominator)}`)];
    };
    const share = (key) => ({ title: say(`cases.share_${key}`), numeric: true, cell: (row) => part(row, key) });
    const none = say("device.no_value");
    const first = found.items.find((row) => row.rank === 1);
    return [
      headline(found.month, first ? say("kpi.first_place", { street: named(first.name, first.street), score: number(first.score, 1) }) : say("kpi.nobody_ranked")),
      table(
        say("kpi.ranking_table"),
        [
          { title: say("kpi.street"), cell: (row) => [named(row.name, row.street), row.listed && el("span", { class: "tag" }, say(`cases.listed_${row.listed}`))] },
          { title: say("kpi.rank"), numeric: true, cell: (row) => (row.rank === null ? none : number(row.rank)) },
          { title: say("kpi.score"), numeric: true, cell: (row) => (row.score === null ? none : number(row.score, 1)) },
          ...["closed_in_time", "handled_in_time", "reworked", "recurred"].map(share),
        ],
        found.items,
      ),
      el("p", { class: "quiet kpi-rule" }, say("cases.ranking_rule")),
    ];
  });
}
