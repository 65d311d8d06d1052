// The alarm list of a phone: cards instead of rows; a touch opens the evidence with its acknowledge button.

import { AlarmCard, CardList } from "./alarm_card.mjs";
import { alarmWords } from "./alarms.mjs";
import { desk } from "./desk.mjs";
import { el } from "./dom.mjs";
import { nothingOpen } from "./empty_state.mjs";
import { number } from "./format.mjs";
import { live } from "./live.mjs";
import { say } from "./texts.mjs";

const MOST = 100;
const NARROW = matchMedia("(max-width: 700px)");

export async function mount(element, scope) {
  const words = await alarmWords();
  const cards = el("div", { class: "card-stack" });
  const foot = el("p", { class: "quiet" });
  element.append(cards, foot);
  const list = new CardList(cards, words, (alarm) => {
    const card = new AlarmCard(words);
    const open = () => desk.choose(alarm.id, { open: true });
    card.element.tabIndex = 0;
    card.element.setAttribute("role", "button");
    card.element.addEventListener("click", open);
    card.element.addEventListener("keydown", (event) => event.key === "Enter" && open());
    return card;
  });
  let due = true;
  const show = () => {
    const listed = desk.listed();
    // With a grid on the screen the cards would be work for nothing; the empty state serves both.
    list.show(NARROW.matches ? listed.slice(0, MOST) : []);
    element.parentElement.classList.toggle("is-empty", live.ready && !listed.length);
    const more = NARROW.matches && listed.length > MOST ? say("wall.ticker_more", { count: number(listed.length - MOST) }) : "";
    foot.replaceChildren(...(listed.length ? [more] : [nothingOpen()]));
  };
  show();
  for (const type of ["snapshot", "alarm", "summary"]) scope.listen(live, type, () => (due = true));
  scope.listen(desk, "filter", show);
  scope.listen(NARROW, "change", show);
  scope.every(500, () => {
    if (due) show();
    due = false;
  });
  scope.every(1000, () => list.tick());
}
