// The list of cases, what is due first on top; on a phone the same rows stand as cards.

import { caseDesk, LIMIT } from "./case_desk.mjs";
import { Countdown, againMark, className, placeText, progress, whoText } from "./case_words.mjs";
import { el } from "./dom.mjs";
import { moment, number, time } from "./format.mjs";
import { live } from "./live.mjs";
import { mark, STATE_SHAPES } from "./shapes.mjs";
import { sessions } from "./session.mjs";
import { say } from "./texts.mjs";

const POLL_MS = 3_000;

export function mount(element, scope) {
  const head = el(
    "div",
    { class: "case-row case-row-head", "aria-hidden": "true" },
    ["due", "what", "place", "state", "who", "deadline"].map((key) => el("span", { class: `case-${key}` }, say(`cases.col_${key}`))),
  );
  const rows = el("ul", { class: "case-rows" });
  const foot = el("div", { class: "case-foot", role: "status" });
  element.append(head, rows, foot);
  const shown = new Map();

  const show = () => {
    const keep = new Set(caseDesk.items.map((item) => item.id));
    for (const [id, row] of shown) {
      if (keep.has(id)) continue;
      row.element.remove();
      shown.delete(id);
    }
    caseDesk.items.forEach((item, i) => {
      const row = shown.get(item.id) ?? new Row(item);
      row.show(item);
      shown.set(item.id, row);
      if (rows.children[i] !== row.element) rows.insertBefore(row.element, rows.children[i] ?? null);
    });
    head.hidden = !caseDesk.items.length;
    foot.replaceChildren(...footer());
    choose();
  };
  const choose = () => {
    for (const [id, row] of shown) row.choose(id === caseDesk.chosen);
  };
  show();
  scope.listen(caseDesk, "change", show);
  scope.listen(caseDesk, "choose", choose);
  scope.listen(sessions, "change", () => caseDesk.refresh());
  scope.every(POLL_MS, () => document.hidden || caseDesk.look());
  scope.every(1_000, () => {
    for (const row of shown.values()) row.tick();
  });
  caseDesk.refresh();
}

function footer() {
  if (caseDesk.failed) return [el("p", { class: "problem" }, say("shell.failed", { detail: caseDesk.failed }))];
  if (!caseDesk.ready) return [el("p", { class: "quiet" }, say("shell.loading"))];
  if (caseDesk.more) return [el("p", { class: "quiet" }, say("cases.more", { count: number(LIMIT) }))];
  if (caseDesk.items.length) return [];
  const filtered = caseDesk.filtered;
  const detail = filtered ? say("cases.none_filtered_detail") : say("cases.none_detail", { time: time(live.now()) });
  return [
    el(
      "div",
      { class: "nothing-open" },
      !filtered && mark(STATE_SHAPES.ACKED),
      el("strong", null, say(filtered ? "cases.none_filtered" : "cases.none")),
      el("span", null, detail),
      filtered && el("button", { type: "button", onclick: () => caseDesk.clear() }, say("cases.clear")),
    ),
  ];
}

class Row {
  constructor(item) {
    this.button = el("button", { type: "button", class: "case-row", "data-case": item.id, onclick: () => caseDesk.choose(item.id) });
    this.element = el("li", null, this.button);
  }

  show(item) {
    // What the server says anew each time is not a change that anybody sees.
    const key = JSON.stringify({ ...item, remaining_s: 0, acts: 0 });
    if (key === this.key) return;
    this.key = key;
    this.countdown = new Countdown(item);
    this.button.replaceChildren(
      el("span", { class: "case-due" }, this.countdown.element),
      el(
        "span",
        { class: "case-what" },
        el("b", null, className(item)),
        item.severe && el("span", { class: "tag" }, say("cases.severe")),
        item.recurrence_of && el("span", { class: "tag tag-again" }, againMark(), say("cases.again")),
        item.reworks > 0 && el("span", { class: "tag" }, say("cases.reworks", { count: number(item.reworks) })),
        item.force && el("span", { class: "tag" }, say("cases.force_pending")),
        el("span", { class: "case-number quiet" }, `${item.id} · ${say(`cases.source_${item.source}`)}`),
      ),
      el("span", { class: "case-place" }, placeText(item)),
      el("span", { class: "case-state" }, progress(item)),
      el("span", { class: "case-who" }, whoText(item)),
      el("span", { class: "case-deadline numeric quiet" }, item.deadline_at ? moment(item.deadline_at, live.now()) : ""),
    );
  }

  choose(chosen) {
    this.button.setAttribute("aria-pressed", String(chosen));
  }

  tick() {
    this.countdown.tick();
  }
}
