// The server's clock in the city's time zone.

import { el, setText } from "./dom.mjs";
import { day, time } from "./format.mjs";
import { live } from "./live.mjs";

export function mount(element, scope) {
  const date = el("span", { class: "date" });
  const clock = el("span", { class: "time" });
  element.append(date, clock);
  const show = () => {
    setText(date, day(live.now()));
    setText(clock, time(live.now()));
  };
  show();
  scope.every(1000, show);
}
