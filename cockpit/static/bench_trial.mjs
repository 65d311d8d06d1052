// A draft of the rules tried on what the run plays: chosen among the drafts or taken from a file, and what would differ.

import { get } from "./api.mjs";
import { benchDesk } from "./bench_desk.mjs";
import { el } from "./dom.mjs";
import { number } from "./format.mjs";
import { fileInput, selectInput } from "./inputs.mjs";
import { problemText } from "./problem_words.mjs";
import { verdict } from "./rules_detail.mjs";
import { resultParts } from "./rules_result.mjs";
import { say } from "./texts.mjs";
import { toast } from "./toast.mjs";

const OPEN = new Set(["draft", "tested"]);
const LARGEST = 500_000;

export async function mount(element, scope) {
  const outcome = el("div", { class: "bench-outcome" });
  const chooser = el("div", { class: "bench-drafts" });
  element.append(el("p", { class: "quiet" }, say("bench.trial_how")), chooser, outcome);
  let last = "";
  const show = () => {
    const trial = benchDesk.run?.trial ?? null;
    const told = JSON.stringify([benchDesk.run?.id, trial]);
    if (told === last) return;
    last = told;
    outcome.replaceChildren(...tried(trial));
  };
  scope.listen(benchDesk, "change", show);
  show();
  const { items } = await get("rules/revisions");
  const drafts = items.filter((each) => OPEN.has(each.state));
  chooser.replaceChildren(...ways(drafts));
}

function ways(drafts) {
  const attempt = (body) => (benchDesk.run ? benchDesk.act(`bench/runs/${benchDesk.run.id}/trial`, body) : toast(say("bench.no_run"), { problem: true }));
  const select = selectInput(say("bench.draft"), drafts.map((each) => [String(each.number), `#${each.number} ${each.reason}`]), "");
  const take = async (chosen) => {
    if (chosen.size > LARGEST) return toast(say("bench.too_large"), { problem: true });
    await attempt({ rules: await chosen.text() });
  };
  return [
    drafts.length > 0
      ? el("div", { class: "bench-draft" }, select.element, el("button", { type: "button", class: "primary", "data-act": "try", onclick: () => attempt({ revision: Number(select.value()) }) }, say("bench.try")))
      : el("p", null, say("bench.no_drafts"), " ", el("a", { href: "rules" }, say("shell.rules"))),
    fileInput(say("bench.rules_file"), ".toml,text/plain", take),
  ];
}

function tried(trial) {
  if (!trial) return [];
  if (trial.state === "running") {
    return [el("p", { role: "status" }, say("bench.judging")), el("progress", { max: String(trial.total || 1), value: String(trial.done), "aria-label": say("bench.trial") })];
  }
  if (trial.state === "failed") return [el("p", { class: "problem", role: "alert" }, problemText(500, trial.problem))];
  const { result } = trial;
  return [
    el("p", { class: "quiet" }, say("bench.tried", { draft: trial.draft || say("bench.a_file"), records: number(result.records) })),
    el("p", { class: "rules-verdict" }, verdict(result.verdicts)),
    ...resultParts(result, inItsCity),
  ];
}

/** The played city as it was when the alarm began; one that has not come so far is shown as it is. */
function inItsCity(item) {
  const { run } = benchDesk;
  const at = Date.parse(item.at) <= Date.parse(run.at) ? `?at=${encodeURIComponent(item.at)}` : "";
  return { href: run.city ? benchDesk.within(`device/${encodeURIComponent(item.device)}${at}`) : null, target: "_blank" };
}
