// The records behind a figure, as its address names them: alarms or cases, to look at one by one or to take away.

import { address, get } from "./api.mjs";
import { alarmWords, priorityText } from "./alarms.mjs";
import { el } from "./dom.mjs";
import { moment, number } from "./format.mjs";
import { alarmLink, deviceLink, link, seconds, streetNames } from "./kpi_words.mjs";
import { priorityBadge } from "./shapes.mjs";
import { named, say, settings } from "./texts.mjs";
import { timeWindow } from "./time_window.mjs";

const PAGE = 200;
const ALARM_KEYS = ["state", "kind", "rule", "priority", "device", "street", "suppression", "from", "to"];
const CASE_KEYS = ["share", "part", "street", "from", "to"];

export async function mount(element, scope) {
  const asked = Object.fromEntries(new URLSearchParams(window.location.search));
  const cases = asked.list === "cases";
  const keys = cases ? CASE_KEYS : ALARM_KEYS;
  const wanted = Object.fromEntries(keys.filter((key) => asked[key]).map((key) => [key, asked[key]]));
  const [words, street] = await Promise.all([alarmWords(), streetNames()]);
  const columns = cases ? caseColumns(street) : alarmColumns(words);
  const body = el("tbody");
  const count = el("b", { class: "numeric" });
  const more = el("button", { type: "button", hidden: true, onclick: () => load(next) }, say("kpi.more"));
  let next = null;
  const load = async (cursor) => {
    const found = cases ? await get("kpi/cases", wanted) : await get("alarms", { ...wanted, limit: PAGE, cursor });
    if (!scope.open) return;
    body.append(...found.items.map((row) => el("tr", null, columns.map((column, i) => el(i ? "td" : "th", { scope: i ? null : "row", class: column.numeric ? "numeric" : null }, column.cell(row))))));
    next = found.next;
    more.hidden = next === null;
    count.textContent = `${number(body.rows?.length ?? body.children.length)}${next === null ? "" : "+"}`;
    if (!body.children.length) table.replaceWith(el("p", { class: "quiet" }, say("kpi.nothing")));
  };
  const table = el("table", { class: "kpi-table" }, el("thead", null, el("tr", null, columns.map(({ title, numeric }) => el("th", { scope: "col", class: numeric ? "numeric" : null }, title)))), body);
  const filters = Object.entries(wanted).map(([key, value]) => el("li", null, el("span", { class: "quiet" }, say(`kpi.filter_${key}`)), " ", shown(key, value, street)));
  element.append(
    el("div", { class: "kpi-head" }, el("h2", null, say(cases ? "kpi.records_cases" : "kpi.records_alarms"), " ", count), link(address("kpi"), say("kpi.back"))),
    el("ul", { class: "kpi-filters" }, filters),
    ...(cases ? [] : [el("p", { class: "kpi-take" }, ["csv", "xlsx"].map((format) => link(exported(wanted, format), format.toUpperCase(), { download: true, class: "button" })))]),
    el("div", { class: "kpi-scroll", tabindex: "0", role: "group", "aria-label": say("kpi.records") }, table),
    more,
  );
  await load(null);
}

function exported(wanted, format) {
  const url = new URL(address("api/v1/export/alarms"));
  const at = timeWindow.past ? { at: timeWindow.given } : {};
  for (const [key, value] of Object.entries({ ...wanted, ...at, format, lang: settings.language })) url.searchParams.set(key, value);
  return url.href;
}

function shown(key, value, street) {
  if (key === "street") return street(value);
  if (key === "share") return say(`cases.share_${value}`);
  if (key === "part") return say(`kpi.is_${value}`);
  if (key === "priority") return value.split(",").map(priorityText).join(" · ");
  return value.includes("T") ? moment(value, 0) : value;
}

function alarmColumns(words) {
  return [
    { title: say("kpi.raised_at"), numeric: true, cell: (row) => moment(row.raised_at, 0) },
    { title: say("kpi.priority"), cell: (row) => priorityBadge(row.priority, priorityText(row.priority)) },
    { title: say("kpi.what"), cell: (row) => alarmLink(row.id, words.what(row)) },
    { title: say("kpi.value"), numeric: true, cell: (row) => words.value(row) },
    { title: say("kpi.street"), cell: (row) => words.street(row) },
    { title: say("kpi.device"), cell: (row) => (row.device.includes(":") ? words.device(row) : deviceLink(row.device, words.device(row))) },
    { title: say("kpi.state"), cell: (row) => say(`state.${row.state}`) },
    { title: say("kpi.took"), numeric: true, cell: (row) => seconds(row.raise_to_ack_s) },
    { title: say("kpi.acked_by"), cell: (row) => row.acked_by ?? say("device.no_value") },
  ];
}

function caseColumns(street) {
  return [
    { title: say("kpi.case"), cell: (row) => link(address(`cases?case=${encodeURIComponent(row.id)}`), row.id) },
    { title: say("kpi.reported_at"), numeric: true, cell: (row) => moment(row.reported_at, 0) },
    { title: say("kpi.sub_class"), cell: (row) => named(row.name, row.sub_class) },
    { title: say("kpi.street"), cell: (row) => street(row.street) },
    { title: say("kpi.state"), cell: (row) => say(`cases.state_${row.state}`) },
    { title: say("kpi.deadline_at"), numeric: true, cell: (row) => moment(row.deadline_at, 0) },
    { title: say("kpi.closed_at"), numeric: true, cell: (row) => moment(row.closed_at, 0) },
    { title: say("kpi.reworks"), numeric: true, cell: (row) => number(row.reworks) },
  ];
}
