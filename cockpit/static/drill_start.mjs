// Beginning an exercise: a leader's button, and the dialog in which the scenario is chosen.

import { actDialog } from "./act_dialog.mjs";
import { address, get, post } from "./api.mjs";
import { el } from "./dom.mjs";
import { drillWatch } from "./drill_watch.mjs";
import { faultChoice } from "./fault_choice.mjs";
import { duration, number } from "./format.mjs";
import { areaInput, selectInput } from "./inputs.mjs";
import { session, sessions } from "./session.mjs";
import { named, say } from "./texts.mjs";
import { toast } from "./toast.mjs";

export const leads = () => session()?.roles?.includes("leader") ?? false;

/** A leader's button that starts one, and for others, or while one runs, the way to those that were. */
export function drillButtons(scope) {
  const start = el("button", { type: "button", hidden: true, "data-act": "drill", onclick: startDialog }, say("drill.start"));
  const list = el("a", { class: "button", href: address("drill") }, say("drill.list"));
  const show = () => {
    start.hidden = !leads() || Boolean(drillWatch.drill);
    list.hidden = !start.hidden;
  };
  scope.listen(sessions, "change", show);
  scope.listen(drillWatch, "change", show);
  show();
  return [start, list];
}

async function startDialog({ currentTarget: button }) {
  if (document.querySelector("dialog[open]")) return;
  let items;
  let faults;
  // What can be played is asked of another program; the first time that takes some seconds.
  button.disabled = true;
  try {
    ({ items, faults } = await get("drills/scenarios"));
  } catch (error) {
    return toast(error.status ? error.message : say("login.unreachable"), { problem: true });
  } finally {
    button.disabled = false;
  }
  // What raises nothing is seldom what a desk is to practise.
  items.sort((a, b) => Number(b.alarms > 0) - Number(a.alarms > 0));
  if (!items.length) return toast(say("drill.none_to_play"), { problem: true });
  const scenario = selectInput(say("drill.scenario"), items.map((each) => [each.key, named(each.name)]), items[0].key);
  const facts = el("div", { class: "drill-facts", "aria-live": "polite" });
  const show = () => facts.replaceChildren(...told(items.find((each) => each.key === scenario.value())));
  scenario.control.addEventListener("change", show);
  show();
  actDialog({
    title: say("drill.start"),
    what: say("drill.ask"),
    ask: "",
    fields: { scenario, facts: { element: facts, value: () => null }, faults: faultChoice(faults), note: areaInput(say("drill.note"), false), list: { element: el("a", { href: address("drill") }, say("drill.past")), value: () => null } },
    send: async ({ scenario: key, note, faults: laid }) => {
      const begun = await post("drills", { scenario: key, note: note.slice(0, 500), faults: laid });
      toast(say("drill.started", { name: named(begun.name) }));
      drillWatch.look();
    },
  });
}

function told(scenario) {
  const hour = scenario.light && say(`drill.needs_${scenario.light}`);
  const figures = [say("drill.lasts", { time: duration(scenario.lasts_s * 1000) }), say("drill.alarms_stated", { count: number(scenario.alarms) }), hour];
  return [el("p", null, named(scenario.description)), el("p", { class: "quiet" }, figures.filter(Boolean).join(" · "))];
}
