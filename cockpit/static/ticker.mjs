// The foot of the wall: counts, then the worst open alarms with the time since each was raised, page after page.

import { AlarmCard, CardList } from "./alarm_card.mjs";
import { alarmWords, shortPriority } from "./alarms.mjs";
import { el, rem } from "./dom.mjs";
import { nothingOpen } from "./empty_state.mjs";
import { number } from "./format.mjs";
import { live } from "./live.mjs";
import { priorityBadge } from "./shapes.mjs";
import { say } from "./texts.mjs";
import { isUnacked, PRIORITIES } from "./urgency.mjs";

const PAGE_MS = 10_000;
const CARD_REM = 19;

export async function mount(element, scope) {
  const words = await alarmWords();
  const counts = el("div", { class: "ticker-counts" });
  const strip = el("div", { class: "ticker-cards" });
  element.append(counts, strip);
  const list = new CardList(strip, words, () => new AlarmCard(words, { brief: true }));
  let page = 0;
  let due = true;
  const show = () => {
    const open = live.openAlarms();
    showCounts(counts, open);
    const room = Math.max(1, Math.floor(strip.clientWidth / (CARD_REM * rem())));
    const pages = Math.max(1, Math.ceil(open.length / room));
    page %= pages;
    strip.style.setProperty("--cards", room);
    strip.querySelector(".nothing-open")?.remove();
    // The last page is filled up from the one before: an empty place would look like an end of the trouble.
    const start = Math.max(0, Math.min(page * room, open.length - room));
    list.show(open.slice(start, start + room));
    if (!open.length) strip.append(nothingOpen());
  };
  for (const type of ["snapshot", "alarm", "summary"]) scope.listen(live, type, () => (due = true));
  scope.every(500, () => {
    if (!due) return;
    due = false;
    show();
  });
  scope.every(PAGE_MS, () => {
    page += 1;
    due = true;
  });
  scope.every(1000, () => list.tick());
  scope.resized(strip, () => (due = true));
  show();
}

function showCounts(element, open) {
  const rows = PRIORITIES.map((priority) => {
    const own = open.filter((alarm) => alarm.priority === priority);
    return el("li", { class: own.length ? "" : "is-zero" }, priorityBadge(priority, shortPriority(priority)), el("b", null, number(own.length)));
  });
  const unacked = open.filter(isUnacked).length;
  element.replaceChildren(
    el("ul", null, rows),
    el("p", null, say("count.open"), el("b", null, number(open.length)), say("count.unacked"), el("b", null, number(unacked))),
  );
}
