// The run that is chosen: how far it is, and its transport: pause, speed, forward, stop, remove. Space pauses.

import { benchDesk } from "./bench_desk.mjs";
import { runName, SPEEDS, speedText } from "./bench_words.mjs";
import { el, setText } from "./dom.mjs";
import { faultsLaid } from "./fault_words.mjs";
import { day, number, time } from "./format.mjs";
import { selectInput } from "./inputs.mjs";
import { problemText } from "./problem_words.mjs";
import { say } from "./texts.mjs";

const POLL_MS = 1_000;
const LEAPS_MIN = [1, 10];
const TYPING = "input, select, textarea, button, a, summary, [contenteditable]";

export function mount(element, scope) {
  let shown = null;
  const show = () => {
    const run = benchDesk.run;
    if (!run) {
      shown = null;
      return element.replaceChildren(el("p", { class: "quiet" }, say(benchDesk.ready ? "bench.no_run" : "shell.loading")));
    }
    // Runs may be told before the names of what they play.
    const key = [run.id, runName(run), run.over, run.state === "preparing", benchDesk.runs.length].join();
    // A control that is being used keeps its place; only figures change.
    if (shown?.key !== key) {
      shown = { key, ...parts(run) };
      element.replaceChildren(...shown.elements);
    }
    shown.update(run);
  };
  show();
  scope.listen(benchDesk, "change", show);
  scope.every(POLL_MS, () => document.hidden || benchDesk.refused || benchDesk.look());
  scope.listen(document, "keydown", (event) => {
    if (event.key !== " " || event.target.closest(TYPING) || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    toggle();
  });
}

function toggle() {
  const run = benchDesk.run;
  if (run && !run.over) benchDesk.control(run.paused ? "go_on" : "pause");
}

function parts(run) {
  const bar = el("progress", { max: "1", value: "0", "aria-label": say("bench.progress") });
  const at = el("output", { class: "bench-at numeric" });
  const state = el("span", { class: "tag bench-state" });
  const sentence = el("p", { class: "problem", role: "alert", hidden: true });
  const figures = el("dl", { class: "bench-figures" });
  const pause = el("button", { type: "button", class: "primary", "data-act": "pause", onclick: toggle });
  const speed = selectInput(say("bench.speed"), SPEEDS.map((each) => [String(each), speedText(each)]), String(run.speed));
  speed.control.addEventListener("change", () => benchDesk.control("speed", { speed: speed.value() === "max" ? "max" : Number(speed.value()) }));
  const leap = (minutes) => {
    const now = benchDesk.run;
    const to = Math.min(Date.parse(now.at) + minutes * 60_000, Date.parse(now.to));
    benchDesk.control("seek", { at: new Date(to).toISOString() });
  };
  const acts = run.over
    ? []
    : [
        pause,
        ...LEAPS_MIN.map((minutes) => el("button", { type: "button", "data-leap": String(minutes), onclick: () => leap(minutes) }, say("bench.leap", { minutes }))),
        speed.element,
        el("button", { type: "button", "data-act": "stop", onclick: () => benchDesk.control("stop") }, say("bench.stop")),
      ];
  const away = el("button", { type: "button", "data-act": "remove", onclick: () => benchDesk.remove() }, say("bench.remove"));
  const others = benchDesk.runs.length > 1 && chooser(run);
  return {
    elements: [
      others,
      el("header", { class: "bench-head" }, el("b", null, runName(run)), state, el("span", { class: "quiet" }, say("bench.by", { by: run.by }))),
      run.faults?.length > 0 && el("p", { class: "quiet" }, faultsLaid(run.faults)),
      el("div", { class: "bench-bar" }, bar, at),
      el("div", { class: "button-row bench-acts" }, acts, away, !run.over && el("span", { class: "quiet" }, say("bench.keys"))),
      sentence,
      figures,
    ].filter(Boolean),
    update: (now) => {
      const [done, whole] = now.from ? [Date.parse(now.at ?? now.from) - Date.parse(now.from), Date.parse(now.to) - Date.parse(now.from)] : [now.done, now.total];
      bar.max = String(Math.max(1, whole));
      bar.value = String(done);
      setText(at, now.at ? `${day(now.at)} ${time(now.at)}` : "");
      setText(state, say(`bench.state_${now.paused && !now.over ? "paused" : now.state}`));
      setText(pause, say(now.paused ? "bench.go_on" : "bench.pause"));
      // Until there is a pace, there is nothing to steer.
      for (const control of element_controls(acts)) control.disabled = now.state !== "playing";
      if (document.activeElement !== speed.control) speed.control.value = String(now.speed);
      sentence.hidden = !now.problem;
      setText(sentence, now.problem ? problemText(500, now.problem) : "");
      figures.replaceChildren(...facts(now));
    },
  };
}

const element_controls = (acts) => acts.flatMap((each) => (each.matches("button") ? [each] : [...each.querySelectorAll("select")]));

function chooser(run) {
  const select = selectInput(say("bench.runs"), benchDesk.runs.map((each) => [each.id, `${runName(each)} · ${each.by}`]), run.id);
  select.control.addEventListener("change", () => benchDesk.choose(select.value()));
  return select.element;
}

function facts(run) {
  const raised = Object.values(run.alarms).reduce((sum, count) => sum + count, 0);
  const fact = (key, value) => el("div", null, el("dt", null, say(`bench.${key}`)), el("dd", { class: "numeric" }, value));
  return [
    fact("rate", run.over ? say("device.no_value") : `×${number(run.rate, run.rate < 10 ? 1 : 0)}`),
    fact("messages", number(run.messages)),
    fact("readings", number(run.readings)),
    fact("quarantined", number(run.quarantined)),
    fact("raised", number(raised)),
    fact("rules", run.revision ? `#${run.revision}` : say("rules.site_file")),
  ];
}
