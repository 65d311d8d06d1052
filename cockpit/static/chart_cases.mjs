// The scene of cases: the most urgent ones, each with the time that is left to the second.

import { caseWatch } from "./case_watch.mjs";
import { CaseCells } from "./case_cells.mjs";
import { ChartHead } from "./chart_head.mjs";
import { el, setText } from "./dom.mjs";
import { number, time } from "./format.mjs";
import { say } from "./texts.mjs";

const MOST = 9;

export function mount(panel, scope) {
  const head = new ChartHead(panel, { key: "cases", name: { zh: say("scene.cases"), en: say("scene.cases") } }, scope);
  const list = el("div", { class: "case-cells is-list" });
  const empty = el("p", { class: "chart-empty" });
  panel.append(list, empty);
  const cells = new CaseCells(list, scope);
  const show = () => {
    const counts = caseWatch.counts?.colours;
    const open = counts ? Object.values(counts).reduce((sum, count) => sum + count, 0) : 0;
    head.show(caseWatch.at ? say("wall.cases_at", { time: time(caseWatch.at) }) : "", counts ? `${number(open)} ${say("unit.cases")}` : "");
    cells.show(caseWatch.items.slice(0, MOST));
    setText(empty, caseWatch.items.length ? "" : say("wall.no_cases"));
  };
  scope.listen(caseWatch, "change", show);
  caseWatch.follow(scope);
  show();
}
