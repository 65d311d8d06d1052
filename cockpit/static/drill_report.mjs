// The report on one exercise: its score with what it is made of, each alarm against its goal, decisions, cases, people.

import { get } from "./api.mjs";
import { priorityText } from "./alarms.mjs";
import { el } from "./dom.mjs";
import { answerChart } from "./drill_chart.mjs";
import { outcomeText, pointsText } from "./drill_words.mjs";
import { faultsLaid } from "./fault_words.mjs";
import { day, duration, number, time } from "./format.mjs";
import { logIn, session, sessions } from "./session.mjs";
import { priorityBadge } from "./shapes.mjs";
import { has, named, say } from "./texts.mjs";

const LOOK_MS = 3_000;

export async function mount(element, scope) {
  let drill = null;
  const look = async () => {
    try {
      drill = await get(`drills/${encodeURIComponent(element.dataset.drill)}`);
      if (scope.open) element.replaceChildren(...content(drill).filter(Boolean));
    } catch (error) {
      if (scope.open) element.replaceChildren(...refusal(error, look));
    }
  };
  await look();
  scope.listen(sessions, "change", () => drill || look());
  scope.every(LOOK_MS, () => drill?.running && !document.hidden && look());
}

function refusal(error, look) {
  if (error.status !== 401) return [el("p", { class: "problem", role: "status" }, error.status ? error.message : say("login.unreachable"))];
  const enter = async () => (await logIn(say("drill.log_in"))) && look();
  return [el("p", { role: "status" }, say("drill.log_in")), !session()?.user && el("button", { type: "button", onclick: enter }, say("shell.log_in"))].filter(Boolean);
}

function content(drill) {
  const { report } = drill;
  const ended = drill.ended_at && ` – ${time(drill.ended_at)}`;
  return [
    el(
      "header",
      { class: "drill-head" },
      el("h2", null, `${say("drill.report")} · ${named(drill.name)}`),
      el("p", { class: "numeric" }, `${day(drill.started_at)} ${time(drill.started_at)}${ended ?? ""} · ${say("drill.led_by", { name: drill.led_by })} · ${outcomeText(drill)}`),
      drill.description && el("p", { class: "quiet" }, named(drill.description)),
      !drill.at_this_hour && el("p", { class: "quiet" }, say("drill.played_at", { time: `${day(drill.played_from)} ${time(drill.played_from)}` })),
      drill.faults?.length > 0 && el("p", { class: "quiet" }, faultsLaid(drill.faults)),
      drill.note && el("p", null, drill.note),
    ),
    ...(drill.running ? [el("p", { role: "status" }, say("drill.running"))] : report ? whole(report) : [el("p", { role: "status" }, say("drill.no_report"))]),
  ];
}

function whole(report) {
  const timed = report.alarms.filter((line) => line.id && line.goal_s !== null);
  return [
    score(report.score),
    timed.length > 0 && answerChart(timed),
    section("alarms", report.alarms.length ? [table(report.alarms), report.never_acked > 0 && el("p", null, say("drill.never_acked", { count: number(report.never_acked) }))] : [el("p", { class: "quiet" }, say("drill.no_alarms"))]),
    section("officers", [report.officers.length ? officers(report.officers) : el("p", { class: "quiet" }, say("drill.no_officers"))]),
    section("cases", [report.cases.length ? cases(report.cases) : el("p", { class: "quiet" }, say("drill.no_cases"))]),
    section("calls", [el("p", null, say("drill.calls_text", { count: number(report.calls.length) }))]),
    el("p", { class: "quiet drill-explained" }, say("drill.explained")),
    el("p", { class: "button-row drill-print" }, el("button", { type: "button", onclick: () => window.print() }, say("drill.print"))),
  ];
}

const section = (key, parts) => el("section", null, el("h3", null, say(`drill.${key}`)), ...parts.filter(Boolean));

function score({ points, parts }) {
  const counting = parts.filter((part) => part.of);
  return el(
    "section",
    { class: "drill-score" },
    el("p", { class: "drill-total numeric" }, el("b", null, points === null ? say("device.no_value") : pointsText(points)), el("span", { class: "quiet" }, points === null ? say("drill.no_points") : say("drill.of_hundred"))),
    el(
      "dl",
      null,
      parts.map((part) =>
        el(
          "div",
          null,
          el("dt", null, say(`drill.part_${part.key}`)),
          el("dd", { class: "numeric" }, el("b", null, part.of ? `${number((100 * part.good) / part.of)} %` : say("device.no_value")), ` ${say("drill.share", { good: number(part.good), of: number(part.of) })}`, el("span", { class: "quiet" }, ` · ${say("drill.worth", { weight: number(part.weight) })}`)),
        ),
      ),
    ),
    el("p", { class: "quiet" }, say("drill.counted", { count: number(counting.length), of: number(parts.length) })),
  );
}

const seconds = (s) => duration(s * 1000);
const none = () => say("device.no_value");

function table(lines) {
  const cell = (key, ...parts) => el("td", { "data-label": say(`drill.${key}`) }, ...parts.filter(Boolean));
  const row = (line) =>
    el(
      "tr",
      { class: line.id ? "" : "is-absent" },
      cell("what", line.priority && priorityBadge(line.priority, priorityText(line.priority)), " ", el("b", null, named(line.rule_name, line.rule)), el("span", { class: "drill-where" }, `${named(line.device_name, line.device)} · ${say(line.stated ? "drill.stated" : "drill.not_stated")}`)),
      cell("raised", el("span", { class: "numeric" }, line.raised_at ? time(line.raised_at) : say("drill.not_raised")), line.hidden && el("span", null, ` ${say("drill.hidden")}`)),
      cell("acked", acked(line)),
      cell("level_seen", el("span", { class: "numeric" }, line.level_seen === null ? none() : number(line.level_seen))),
      cell("decision", decision(line)),
      cell("right", line.right === null ? say("drill.not_scored") : say(line.right ? "drill.is_right" : "drill.is_wrong")),
      cell("calls", el("span", { class: "numeric" }, number(line.escalations))),
    );
  const heads = ["what", "raised", "acked", "level_seen", "decision", "right", "calls"];
  return el("table", { class: "drill-table" }, el("thead", null, el("tr", null, heads.map((key) => el("th", { scope: "col" }, say(`drill.${key}`))))), el("tbody", null, lines.map(row)));
}

function acked(line) {
  if (!line.id) return none();
  const goal = line.goal_s === null ? say("drill.no_goal") : say("drill.goal", { time: seconds(line.goal_s) });
  if (line.ack_s === null) return `${say(line.in_time === false ? "drill.never" : "drill.not_due")} (${goal})`;
  const verdict = line.in_time === null ? null : say(line.in_time ? "drill.in_time" : "drill.late");
  return [line.acked_by, seconds(line.ack_s), verdict, goal].filter(Boolean).join(" · ");
}

function decision(line) {
  if (!line.id) return none();
  const limit = line.decide_goal_s === null ? "" : ` (${say("drill.decide_goal", { time: seconds(line.decide_goal_s) })})`;
  if (!line.decision) return `${say(line.decided_in_time === false ? "drill.late" : "drill.undecided")}${limit}`;
  const what = has(`drill.decided_${line.decision}`) ? say(`drill.decided_${line.decision}`) : line.decision;
  const after = line.decide_s === null ? none() : seconds(line.decide_s);
  return say(line.decided_in_time === false ? "drill.decided_late" : "drill.decided", { what, name: line.decided_by, time: after });
}

function officers(lines) {
  const heads = ["officer", "officer_acked", "officer_median", "officer_worst", "officer_decided"];
  const shown = (s) => (s === null ? none() : seconds(s));
  const row = (line) =>
    el(
      "tr",
      null,
      [line.name, number(line.acked), shown(line.median_s), shown(line.worst_s), number(line.decided)].map((text, i) => el("td", { class: "numeric", "data-label": say(`drill.${heads[i]}`) }, text)),
    );
  return el("table", { class: "drill-table drill-people" }, el("thead", null, el("tr", null, heads.map((key) => el("th", { scope: "col" }, say(`drill.${key}`))))), el("tbody", null, lines.map(row)));
}

function cases(lines) {
  return el(
    "ul",
    { class: "drill-cases" },
    lines.map((line) => el("li", null, el("b", null, named(line.name, line.sub_class)), ` ${line.id} · ${say("drill.case_line", { by: line.opened_by, time: time(line.opened_at) })} · ${say(`cases.state_${line.state}`)}`)),
  );
}
