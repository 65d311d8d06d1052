// Words that the pages about exercises share.

import { number } from "./format.mjs";
import { problemText } from "./problem_words.mjs";
import { say } from "./texts.mjs";

const OUTCOMES = { over: "drill.outcome_over", ended: "drill.outcome_ended", cut_off: "drill.outcome_cut_off", failed: "drill.outcome_failed" };

/** How it ended, or that it runs. */
export function outcomeText(drill) {
  if (drill.running) return say("drill.state_running");
  return say(OUTCOMES[drill.outcome], { name: drill.ended_by ?? "", detail: drill.problem ? problemText(500, drill.problem) : "" });
}

export const pointsText = (points) => (points === null ? say("device.no_value") : say("drill.points", { points: number(points, points % 1 ? 1 : 0) }));
