// The alarms of the run as they come, the newest on top, and which of those that its scenario states have come.

import { alarmWords, shortPriority } from "./alarms.mjs";
import { benchDesk } from "./bench_desk.mjs";
import { el } from "./dom.mjs";
import { moment, number } from "./format.mjs";
import { named, say } from "./texts.mjs";

const POLL_MS = 2_000;
const SHOWN = 200;

export async function mount(element, scope) {
  const words = await alarmWords();
  if (!scope.open) return;
  let items = [];
  let of = null;
  let last = "";
  const show = () => {
    const run = benchDesk.run;
    if (run?.id !== of) items = [];
    const told = JSON.stringify([run?.id, run?.state, items, benchDesk.sources === null]);
    if (told === last) return;
    last = told;
    element.parentElement.hidden = !run;
    element.replaceChildren(...content(run, items, words));
  };
  const ask = async () => {
    const run = benchDesk.run;
    if (document.hidden || !run?.city) return show();
    try {
      const answer = await fetch(benchDesk.within(`api/v1/alarms?state=all&limit=${SHOWN}`), { headers: { Accept: "application/json" } });
      if (answer.ok) [items, of] = [(await answer.json()).items.filter((alarm) => alarm.rule !== "collector.watchdog.beat"), run.id];
    } catch {
      // The run has just been removed; the next look at the runs tells.
    }
    show();
  };
  show();
  scope.listen(benchDesk, "change", show);
  scope.every(POLL_MS, ask);
}

function content(run, items, words) {
  if (!run) return [];
  return [
    stated(run, items),
    items.length ? el("ul", { class: "bench-alarm-list" }, items.map((alarm) => row(alarm, words))) : el("p", { class: "quiet" }, say("bench.no_alarms")),
  ].filter(Boolean);
}

function stated(run, items) {
  const found = benchDesk.sources?.scenarios.find((each) => each.key === run.scenario);
  if (!found?.expects.length) return null;
  const came = (expect) => items.some((alarm) => alarm.rule === expect.rule && alarm.device === expect.device && alarm.level_peak >= expect.level);
  const count = found.expects.filter(came).length;
  return el(
    "details",
    { class: "bench-stated" },
    el("summary", null, say("bench.stated", { count: number(count), of: number(found.expects.length) })),
    el(
      "ul",
      null,
      found.expects.map((expect) => el("li", { class: came(expect) ? "has-come" : "quiet" }, `${came(expect) ? "✓" : "…"} ${expect.rule} · ${expect.device}${expect.light ? ` · ${say(`bench.light_${expect.light}`)}` : ""}`)),
    ),
  );
}

function row(alarm, words) {
  return el(
    "li",
    null,
    el("span", { class: `rules-priority priority-${alarm.priority}` }, shortPriority(alarm.priority)),
    el("b", null, named(alarm.rule_name, alarm.rule)),
    el("a", { href: benchDesk.within(`device/${encodeURIComponent(alarm.device)}`), target: "_blank" }, named(alarm.device_name, alarm.device)),
    el("span", { class: "bench-value numeric" }, words.value(alarm)),
    el("span", { class: "bench-alarm-state quiet" }, say(`state.${alarm.state}`)),
    el("time", { class: "quiet numeric" }, moment(alarm.raised_at, Date.parse(alarm.raised_at))),
  );
}
