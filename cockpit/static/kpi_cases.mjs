// The closed loop in the period: every share with its two numbers, each a link to the cases it counts.

import { get } from "./api.mjs";
import { el } from "./dom.mjs";
import { number } from "./format.mjs";
import { kpiDesk } from "./kpi_desk.mjs";
import { kpiPanel } from "./kpi_panel.mjs";
import { link, percent, records } from "./kpi_words.mjs";
import { say } from "./texts.mjs";

const FIRST = ["registered", "closed_in_time"];
const OTHERS = ["handled", "handled_in_time", "closed", "reworked", "recurred", "intelligent"];

export async function mount(element, scope) {
  const load = () => get("cases/indicators", { from: kpiDesk.period.from_at, to: kpiDesk.period.to_at, street: kpiDesk.street || null });
  await kpiPanel(element, scope, say("kpi.area_cases"), load, ({ indicators }) => [
    ...[FIRST, OTHERS].map((keys) => el("dl", { class: "kpi-shares" }, keys.map((key) => share(key, indicators[key])))),
    el("p", { class: "quiet kpi-rule" }, say("kpi.due_rule")),
  ]);
}

function share(key, ratio) {
  const part = (name) => link(records("cases", { share: key, part: name, ...kpiDesk.parameters }), number(ratio[name]), { "aria-label": say(`kpi.part_${name}`, { share: say(`cases.share_${key}`), count: number(ratio[name]) }) });
  return el(
    "div",
    null,
    el("dt", null, say(`cases.share_${key}`)),
    el("dd", null, el("b", { class: "numeric" }, percent(ratio.value)), el("span", { class: "quiet numeric" }, part("numerator"), " / ", part("denominator"))),
  );
}
