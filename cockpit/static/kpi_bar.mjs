// Over the indicators: which days, which street, the report of a day and the tables to take away.

import { address } from "./api.mjs";
import { site } from "./city.mjs";
import { el } from "./dom.mjs";
import { kpiDesk, NARROW } from "./kpi_desk.mjs";
import { named, say, settings } from "./texts.mjs";
import { timeWindow, withWindow } from "./time_window.mjs";

const PRESETS = ["today", "week", "month"];
// The ledger is always that of now.
const TABLES = timeWindow.past ? ["kpi", "alarms", "cases"] : ["kpi", "alarms", "cases", "ledger"];

export async function mount(element, scope) {
  const city = await site();
  if (!scope.open) return;
  const presets = PRESETS.map((preset) => el("button", { type: "button", "data-preset": preset, onclick: () => kpiDesk.choose({ preset }) }, say(`kpi.period_${preset}`)));
  const [from, to] = ["from", "to"].map((name) => el("input", { type: "date", class: "field", name, required: true, "aria-label": say(`kpi.${name}`) }));
  const custom = el("form", { class: "kpi-custom", "aria-label": say("kpi.period_custom") }, from, el("span", { "aria-hidden": "true" }, "–"), to, el("button", { type: "submit" }, say("kpi.show")));
  scope.listen(custom, "submit", (event) => {
    event.preventDefault();
    kpiDesk.choose({ from: from.value, to: to.value });
  });
  const street = el(
    "select",
    { class: "field", "aria-label": say("kpi.street"), onchange: (event) => kpiDesk.narrow(event.target.value) },
    el("option", { value: "" }, say("kpi.all_streets")),
    city.districts.map((district) => el("optgroup", { label: named(district.name) }, district.streets.map((each) => el("option", { value: each.key }, named(each.name))))),
  );
  street.value = kpiDesk.street;
  const report = el("a", { class: "button" }, say("kpi.report"));
  const exports = el("ul");
  const take = el("div", { class: "kpi-take" }, report, el("details", { class: "kpi-exports" }, el("summary", { class: "button" }, say("kpi.export")), exports));
  const choice = el("details", { class: "kpi-choice", open: !NARROW.matches }, el("summary", null, say("kpi.choice")), el("div", null, custom, street, take));
  scope.listen(NARROW, "change", () => (choice.open = !NARROW.matches));
  element.append(
    el("div", { class: "window-buttons", role: "group", "aria-label": say("kpi.period") }, presets),
    choice,
    el("p", { class: "kpi-span numeric", role: "status" }),
  );
  const span = element.querySelector(".kpi-span");
  const show = () => {
    for (const button of presets) button.setAttribute("aria-pressed", String(button.dataset.preset === kpiDesk.chosen.preset));
    span.textContent = kpiDesk.failed || (kpiDesk.period ? say("kpi.span", { from: kpiDesk.period.from, to: kpiDesk.period.to, zone: settings.timezone }) : "");
    span.classList.toggle("is-problem", Boolean(kpiDesk.failed));
    if (!kpiDesk.period) return;
    from.value = kpiDesk.period.from;
    to.value = kpiDesk.period.to;
    report.href = withWindow(address(`report?day=${kpiDesk.period.to}&lang=${settings.language}`));
    exports.replaceChildren(...TABLES.map((name) => el("li", null, say(`kpi.export_${name}`), ...["csv", "xlsx"].map((format) => el("a", { href: exported(name, format), download: true }, format.toUpperCase())))));
  };
  scope.listen(kpiDesk, "change", show);
  show();
  kpiDesk.follow(scope);
}

function exported(name, format) {
  const url = new URL(address(`api/v1/export/${name}`));
  const { period, street } = kpiDesk;
  const days = { from: period.from, to: period.to, street };
  const own = { kpi: days, alarms: { state: "all", from: period.from_at, to: period.to_at, street }, cases: { state: "all", street }, ledger: {} };
  const at = timeWindow.past ? timeWindow.given : null;
  for (const [key, value] of Object.entries({ ...own[name], at, format, lang: settings.language })) if (value) url.searchParams.set(key, value);
  return url.href;
}
