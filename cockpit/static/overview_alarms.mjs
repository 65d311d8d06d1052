// The ten worst open alarms, each with where it is and who is on it.

import { AlarmCard, CardList } from "./alarm_card.mjs";
import { alarmWords } from "./alarms.mjs";
import { address } from "./api.mjs";
import { el } from "./dom.mjs";
import { nothingOpen } from "./empty_state.mjs";
import { number } from "./format.mjs";
import { live } from "./live.mjs";
import { say } from "./texts.mjs";

const SHOWN = 10;

export async function mount(element, scope) {
  const words = await alarmWords();
  const cards = el("div", { class: "card-stack" });
  const foot = el("div");
  element.append(cards, foot);
  const list = new CardList(cards, words, (alarm) => {
    const card = new AlarmCard(words, { link: true });
    card.element.href = address(`device/${encodeURIComponent(alarm.device)}`);
    return card;
  });
  let due = false;
  const show = () => {
    const open = live.openAlarms();
    list.show(open.slice(0, SHOWN));
    const more = open.length - SHOWN;
    const rest = more > 0 ? [el("a", { href: address("duty"), class: "more" }, say("overview.more", { count: number(more) }))] : [];
    foot.replaceChildren(...(open.length ? rest : [nothingOpen()]));
  };
  show();
  for (const type of ["snapshot", "alarm", "summary"]) scope.listen(live, type, () => (due = true));
  scope.every(500, () => {
    if (due) show();
    due = false;
  });
  scope.every(1000, () => list.tick());
}
