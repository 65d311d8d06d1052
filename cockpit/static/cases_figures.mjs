// How the loop did this month: each share with what it is a share of, and the ranking of the streets.

import { get } from "./api.mjs";
import { el } from "./dom.mjs";
import { number } from "./format.mjs";
import { named, say } from "./texts.mjs";

const EVERY_MS = 60_000;
const SHOWN = ["registered", "handled", "handled_in_time", "closed", "closed_in_time", "reworked", "recurred", "intelligent"];

export async function mount(element, scope) {
  const show = async () => {
    const [found, ranks] = await Promise.all([get("cases/indicators"), get("cases/ranking")]);
    if (!scope.open) return;
    element.replaceChildren(
      el("h2", null, say("cases.figures"), el("span", { class: "quiet" }, ` ${ranks.month}`)),
      el("dl", { class: "case-shares" }, SHOWN.map((key) => share(key, found.indicators[key]))),
      el("h3", null, say("cases.ranking")),
      el("ol", { class: "case-ranking" }, ranks.items.map(ranked)),
      el("p", { class: "quiet case-rule" }, say("cases.ranking_rule")),
    );
  };
  await show();
  // A figure that cannot be fetched for once stays as it is; the badge says that the server is away.
  scope.every(EVERY_MS, () => show().catch((error) => console.warn("citydeck figures", error)));
}

const percent = (value) => (value === null ? say("device.no_value") : `${number(100 * value, 1)} %`);

function share(key, ratio) {
  return el(
    "div",
    null,
    el("dt", null, say(`cases.share_${key}`)),
    el("dd", null, el("b", { class: "numeric" }, percent(ratio.value)), el("span", { class: "quiet numeric" }, ` ${number(ratio.numerator)} / ${number(ratio.denominator)}`)),
  );
}

function ranked(row) {
  return el(
    "li",
    { class: row.listed ? `listed-${row.listed}` : "" },
    el("span", { class: "numeric" }, row.rank === null ? say("device.no_value") : number(row.rank)),
    el("span", null, named(row.name), row.listed && el("span", { class: "tag" }, say(`cases.listed_${row.listed}`))),
    el("b", { class: "numeric" }, row.score === null ? say("device.no_value") : number(row.score, 1)),
    el("span", { class: "quiet numeric" }, `${number(row.indicators.closed_in_time.numerator)} / ${number(row.indicators.closed_in_time.denominator)}`),
  );
}
