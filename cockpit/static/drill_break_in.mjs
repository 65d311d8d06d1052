// On every page of an exercise: what really happens. A page of it listens to the live city as well, and a real alarm stands
// over everything, dialogs too, until somebody has acknowledged it there; a P1 cannot be put away.

import { alarmWords, priorityText } from "./alarms.mjs";
import { liveAddress, liveSocketAddress } from "./api.mjs";
import { el, setText } from "./dom.mjs";
import { duration, number, time } from "./format.mjs";
import { Live } from "./live.mjs";
import { priorityBadge } from "./shapes.mjs";
import { sound } from "./sound.mjs";
import { say, settings } from "./texts.mjs";
import { byUrgency, isUnacked } from "./urgency.mjs";

const ALWAYS = new Set(["P1", "P2"]);
const WHEN_RAISED = new Set(["P3", "P4"]);

export async function mount(_element, scope) {
  const words = await alarmWords();
  const band = el("div", { class: "drill-break-in", role: "alert", popover: "manual" });
  const real = new Live(liveSocketAddress("ws/live?only=alarms"));
  const raised = new Set();
  const seen = new Set();
  const since = el("span", { class: "numeric", "aria-live": "off" });
  let first = null;
  let last = "";

  const wanted = (alarm) => {
    if (!isUnacked(alarm) || alarm.suppression !== "none") return false;
    if (alarm.priority === "P1") return true;
    return !seen.has(alarm.id) && (ALWAYS.has(alarm.priority) || (raised.has(alarm.id) && WHEN_RAISED.has(alarm.priority)));
  };
  const show = () => {
    const found = [...real.alarms.values()].filter(wanted).sort(byUrgency);
    first = found[0] ?? null;
    const told = JSON.stringify([real.stale && real.lastAt(), first && [first.id, first.version], found.length]);
    if (told === last) return;
    last = told;
    const put = () => {
      for (const alarm of found) seen.add(alarm.id);
      show();
    };
    band.className = first ? `drill-break-in ${first.priority} is-${first.state}` : "drill-break-in";
    band.replaceChildren(...[...(first ? alarmParts(first, found.length - 1, words, since, put) : []), real.stale && down(real)].filter(Boolean));
    tick();
    lift(band);
  };
  const tick = () => first && setText(since, duration(real.now() - Date.parse(first.raised_at)));
  const news = ({ detail: { alarm, before } }) => {
    if (!before) raised.add(alarm.id);
    if (isUnacked(alarm) && (!before || before.priority !== alarm.priority || !isUnacked(before))) {
      seen.delete(alarm.id);
      sound.announce(alarm.priority);
    }
    show();
  };
  scope.listen(real, "alarm", news);
  scope.listen(real, "snapshot", () => {
    show();
    if (first?.priority === "P1") sound.announce("P1");
  });
  scope.listen(real, "state", show);
  scope.every(1_000, tick);
  // What stands over everything takes its room from the top of the page: nothing lies behind it.
  scope.resized(band, () => room(band));
  const dialogs = new MutationObserver((records) => {
    const opened = records.flatMap((record) => [...record.addedNodes]).find((node) => node.nodeName === "DIALOG");
    opened?.addEventListener("close", () => setTimeout(() => lift(band)));
    if (opened) setTimeout(() => lift(band));
  });
  dialogs.observe(document.body, { childList: true });
  lift(band);
  scope.add(() => {
    dialogs.disconnect();
    real.stop();
    band.remove();
    room(band);
  });
}

/** Bring it before whatever was opened last; beside an open dialog nothing could be pressed, so it goes into it. */
function lift(band) {
  const place = [...document.querySelectorAll("dialog[open]")].at(-1) ?? document.body;
  if (band.parentElement !== place) place.append(band);
  else if (band.matches(":popover-open")) band.hidePopover();
  if (band.hasChildNodes()) band.showPopover();
  room(band);
}

function room(band) {
  document.documentElement.style.setProperty("--break-in", `${band.offsetHeight}px`);
}

function alarmParts(alarm, more, words, since, put) {
  const to = liveAddress(`duty?alarm=${encodeURIComponent(alarm.id)}&lang=${settings.language}`);
  return [
    el("p", { class: "break-in-head" }, el("strong", null, say("drill.real")), priorityBadge(alarm.priority, priorityText(alarm.priority)), el("span", null, `${time(alarm.raised_at)} · ${say("alarm.since")} `, since)),
    el("p", { class: "break-in-what" }, el("b", null, `${words.what(alarm)} ${words.value(alarm)}`), ` ${words.street(alarm)} · ${words.device(alarm)}`, more > 0 && ` · ${say("drill.real_more", { count: number(more) })}`),
    el("p", { class: "button-row" }, el("a", { class: "button primary", href: to }, say("drill.real_go")), alarm.priority !== "P1" && el("button", { type: "button", onclick: put }, say("drill.real_seen"))),
  ];
}

const down = (real) => el("p", { class: "break-in-down" }, say("drill.real_down", { time: time(real.lastAt()) }));
