// How long each alarm of an exercise waited, as a bar against its own goal: one line for all, whatever the goals are.

import { el } from "./dom.mjs";
import { duration } from "./format.mjs";
import { named, say } from "./texts.mjs";

// The goal stands in the middle; what took more than twice as long is cut off there, and says so.
const GOAL_PCT = 50;

/** @param lines the alarms of the report that have a goal */
export function answerChart(lines) {
  return el(
    "figure",
    { class: "drill-chart" },
    el("figcaption", null, say("drill.answer_times")),
    el("ol", null, lines.map(bar)),
  );
}

function bar(line) {
  const share = line.ack_s === null ? 2 : line.ack_s / line.goal_s;
  const state = line.in_time === null ? "not_due" : line.in_time ? "in_time" : line.ack_s === null ? "never" : "late";
  const fill = el("span", { class: `drill-fill is-${state}${share > 2 ? " is-cut" : ""}` });
  fill.style.setProperty("inline-size", `${line.ack_s === null && state === "not_due" ? 0 : Math.max(1, Math.min(100, share * GOAL_PCT))}%`);
  const goal = duration(line.goal_s * 1000);
  const words = [line.ack_s === null ? null : duration(line.ack_s * 1000), say(`drill.${state}`)].filter(Boolean).join(" · ");
  return el(
    "li",
    null,
    el("span", { class: "drill-bar-name" }, el("span", { class: `priority ${line.priority}` }, line.priority), ` ${named(line.rule_name, line.rule)} · ${named(line.device_name, line.device)}`),
    el("span", { class: "drill-track", "aria-hidden": "true" }, fill, el("span", { class: "drill-goal" })),
    el("span", { class: "drill-bar-words numeric" }, `${words} (${say("drill.goal", { time: goal })})`),
  );
}
