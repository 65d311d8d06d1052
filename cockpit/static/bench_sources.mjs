// What there is to play: recordings, a span of the site's own journal, scenarios; and making a first recording.

import { post } from "./api.mjs";
import { benchDesk } from "./bench_desk.mjs";
import { refusal, SPEEDS, speedText } from "./bench_words.mjs";
import { el } from "./dom.mjs";
import { faultChoice } from "./fault_choice.mjs";
import { duration, moment, number } from "./format.mjs";
import { selectInput, textInput } from "./inputs.mjs";
import { live } from "./live.mjs";
import { problemText } from "./problem_words.mjs";
import { named, say } from "./texts.mjs";
import { clockGiven, clockText } from "./time_window.mjs";
import { toast } from "./toast.mjs";

const RELOAD_MS = 30_000;
const FIRST_SPEED = 10;
const HOUR_MS = 3_600_000;

export function mount(element, scope) {
  const speed = selectInput(say("bench.speed"), SPEEDS.map((each) => [String(each), speedText(each)]), String(FIRST_SPEED));
  let faults = null;
  let last = "";
  const show = () => {
    const told = JSON.stringify([benchDesk.sources, benchDesk.refused?.message, benchDesk.ready]);
    if (told === last) return;
    last = told;
    const refused = refusal();
    if (refused) return element.replaceChildren(refused);
    if (!benchDesk.sources) return element.replaceChildren(el("p", { class: "quiet" }, say("shell.loading")));
    // What was chosen already stays chosen while lists come anew.
    faults ??= faultChoice(benchDesk.sources.faults);
    element.replaceChildren(speed.element, ...content(benchDesk.sources, () => pace(speed.value()), faults));
  };
  show();
  scope.listen(benchDesk, "change", show);
  scope.every(RELOAD_MS, () => document.hidden || benchDesk.load());
  benchDesk.load();
}

const pace = (text) => (text === "max" ? text : Number(text));

function content(sources, speed, faults) {
  const start = (body) => benchDesk.act("bench/runs", { speed: speed(), ...body });
  return [
    el("h3", null, say("bench.recordings")),
    ...recordings(sources, start),
    ...tables(sources.tables ?? []),
    ...sources.journals.flatMap((journal) => span(journal, start)),
    el("h3", null, say("bench.scenarios")),
    faults.element,
    el("ul", { class: "bench-list" }, sources.scenarios.map((each) => scenario(each, (body) => start({ ...body, faults: faults.value() })))),
  ];
}

function recordings({ recordings: found, journals }, start) {
  const items = el("ul", { class: "bench-list" }, found.map((each) => recording(each, start)));
  const make = journals.length > 0 && el("button", { type: "button", "data-act": "record", onclick: recordHour }, say("bench.record_hour"));
  if (found.length) return [items, make].filter(Boolean);
  return [el("div", { class: "bench-empty" }, el("p", null, say("bench.none")), el("p", { class: "quiet" }, say("bench.none_how")), el("code", null, say("bench.none_command")), make)];
}

/** Files that somebody put here and that cannot be played as they are: how they can. */
function tables(names) {
  if (!names.length) return [];
  const stem = names[0].replace(/\.csv$/i, "");
  const commands = [`citydeck record import var/recordings/${names[0]} --into var/import-${stem}`, `citydeck record export var/recordings/${stem}.cdrec --data var/import-${stem} --from … --to …`];
  return [el("div", { class: "bench-empty" }, el("p", null, say("bench.tables", { names: names.join(", ") })), commands.map((each) => el("code", null, each)))];
}

async function recordHour(event) {
  const button = event.currentTarget;
  button.disabled = true;
  const found = await benchDesk.act("bench/recordings", { minutes: 60 }, { method: post });
  button.disabled = false;
  if (!found) return;
  toast(say("bench.recorded", { name: found.names.join(", ") }));
  benchDesk.load();
}

function recording(found, start) {
  const lasts = found.from ? duration(Date.parse(found.to) - Date.parse(found.from)) : "";
  return el(
    "li",
    null,
    el("b", null, found.name),
    found.problem
      ? el("p", { class: "problem" }, problemText(500, found.problem))
      : el("span", { class: "quiet" }, say("bench.recording_facts", { from: moment(found.from, live.now()), lasts, messages: number(found.messages), size: number(found.bytes / 1e6, 1) })),
    !found.fault && el("span", { class: "quiet bench-kinds" }, found.kinds.join(" · ")),
    !found.fault && el("button", { type: "button", onclick: () => start({ recording: found.name }) }, say("bench.start")),
  );
}

function span(journal, start) {
  const field = (key, at) => textInput(say(`bench.${key}`), { class: "field", type: "datetime-local", step: "1", value: clockText(at) });
  const [begin, end] = [Date.parse(journal.from), Date.parse(journal.to)];
  const from = field("from", Math.max(begin, end - HOUR_MS));
  const to = field("to", end);
  const go = () => start({ journal: { shard: journal.shard }, from: clockGiven(from.value()), to: clockGiven(to.value()) });
  return [
    el("h3", null, say("bench.journal", { shard: journal.shard })),
    el("p", { class: "quiet" }, say("bench.reach", { from: moment(journal.from, live.now()), to: moment(journal.to, live.now()) })),
    el("div", { class: "bench-span" }, from.element, to.element, el("button", { type: "button", "data-act": "journal", onclick: go }, say("bench.start"))),
  ];
}

function scenario(found, start) {
  return el(
    "li",
    null,
    el("b", null, named(found.name)),
    el("span", { class: "quiet" }, named(found.description)),
    el("span", { class: "quiet" }, say("bench.scenario_facts", { lasts: duration(found.lasts_s * 1000), count: number(found.expects.length) })),
    el("button", { type: "button", "data-scenario": found.key, onclick: () => start({ scenario: found.key }) }, say("bench.start")),
  );
}
