// Words that the parts of the bench share: what a run is of, how fast, and why there is nothing to see.

import { benchDesk } from "./bench_desk.mjs";
import { el } from "./dom.mjs";
import { logIn } from "./session.mjs";
import { named, say } from "./texts.mjs";

export const SPEEDS = [0.1, 0.5, 1, 2, 5, 10, 30, 60, 100, 300, 1000, "max"];

export const speedText = (speed) => (speed === "max" ? say("bench.full_speed") : `×${speed}`);

export function runName(run) {
  if (run.scenario) {
    const found = benchDesk.sources?.scenarios.find((each) => each.key === run.scenario);
    return named(found?.name, run.scenario);
  }
  return run.recording ?? say("bench.of_journal", { shard: run.journal });
}

/** Why there is nothing to see for this person, or nothing. */
export function refusal() {
  const error = benchDesk.refused;
  if (!error) return null;
  const enter = async () => (await logIn(say("bench.log_in"))) && benchDesk.load();
  return el(
    "div",
    { class: "bench-refused" },
    el("p", { class: "problem", role: "status" }, error.status === 403 ? say("bench.no_role") : error.status === 401 ? say("bench.log_in") : error.message),
    error.status === 401 && el("button", { type: "button", onclick: enter }, say("shell.log_in")),
  );
}
