// A refusal in the reader's language: by its code and what it tells, else by its status.

import { has, say, settings } from "./texts.mjs";

const WORDS = { roles: "cases.role_", state: "cases.state_", states: "cases.state_", needs: "laying.amount_", why: "problem." };

function word(name, key) {
  const text = `${WORDS[name] ?? ""}${key}`;
  return WORDS[name] && has(text) ? say(text) : String(key);
}

function told(values) {
  const between = settings.language === "zh" ? "、" : ", ";
  return Object.fromEntries(Object.entries(values ?? {}).map(([name, value]) => [name, [value].flat().map((each) => word(name, each)).join(between)]));
}

/** What is wrong with a draft of rules, in one sentence for each fault, behind where it stands. */
export function faultsText(faults) {
  const said = ({ where, sentence, code, values }) => say("fault.at", { where, what: code ? say(`fault.${code}`, values) : sentence });
  return faults.map(said).join(" · ");
}

export function problemText(status, problem) {
  if (problem?.faults?.length) return say("problem.draft_unfit", { detail: faultsText(problem.faults) });
  if (problem?.code && has(`problem.${problem.code}`)) return say(`problem.${problem.code}`, told(problem.values));
  // Whoever answered without a code, answered in English.
  if (problem?.detail && settings.language === "en") return problem.detail;
  return has(`problem.status_${status}`) ? say(`problem.status_${status}`) : say("problem.status_other", { status });
}
