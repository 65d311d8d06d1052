// The common course of an area of indicators: ask for the period, say what is missing, draw, and go on asking for days
// that the server has not reckoned yet.

import { el } from "./dom.mjs";
import { time } from "./format.mjs";
import { kpiDesk, NARROW } from "./kpi_desk.mjs";
import { Scope } from "./scope.mjs";
import { say } from "./texts.mjs";
import { timeWindow } from "./time_window.mjs";

const AGAIN_MS = 300;
const RETRY_MS = 10_000;

/**
 * @param title the words of the heading
 * @param load asks the server; its answer goes to draw, with a scope that lasts until the next one, and comes back as
 *   the children of the area: what it is about first, which a phone shows alone until its reader asks for the rest
 */
export function kpiPanel(element, scope, title, load, draw) {
  const heading = el("h2", null, title);
  const note = el("p", { class: "quiet kpi-note", role: "status" });
  const body = el("div", { class: "kpi-body" });
  const rest = el("div", { class: "kpi-body" });
  const fold = el("details", { class: "kpi-more", open: !NARROW.matches }, el("summary", null, say("kpi.details")), rest);
  element.append(el("div", { class: "kpi-head" }, heading, note), body, fold);
  fold.hidden = true;
  let asked = 0;
  let timer = 0;
  let drawing = new Scope();
  const show = async () => {
    const turn = ++asked;
    clearTimeout(timer);
    if (kpiDesk.failed) return fail(kpiDesk.failed);
    if (!kpiDesk.period) return say("shell.loading");
    element.setAttribute("aria-busy", "true");
    if (!body.hasChildNodes()) note.textContent = say("shell.loading");
    try {
      const found = await load(kpiDesk.parameters);
      if (turn !== asked || !scope.open) return null;
      drawing.close();
      drawing = new Scope();
      const left = standing(rest);
      const [first, ...others] = draw(found, drawing).filter(Boolean);
      body.replaceChildren(first);
      rest.replaceChildren(...others, ...then(found));
      fold.hidden = false;
      restore(rest, left);
      element.classList.remove("is-stale");
      note.textContent = found.waiting ? say("kpi.waiting", { days: found.waiting }) : found.at ? say("kpi.as_of", { time: time(found.at) }) : "";
      if (found.waiting) timer = setTimeout(show, AGAIN_MS);
    } catch (error) {
      if (turn !== asked) return null;
      fail(error.message);
      timer = setTimeout(show, RETRY_MS);
    } finally {
      if (turn === asked) element.removeAttribute("aria-busy");
    }
    return null;
  };
  const fail = (detail) => {
    // Figures of another moment stay, marked as such: an empty area would say that there was nothing.
    element.classList.toggle("is-stale", body.hasChildNodes());
    note.textContent = say("shell.failed", { detail });
  };
  scope.listen(kpiDesk, "change", show);
  scope.listen(NARROW, "change", () => (fold.open = !NARROW.matches));
  scope.add(() => {
    clearTimeout(timer);
    drawing.close();
  });
  return show();
}

/** What cannot be reckoned of a past instant: nobody keeps when a reading came in. */
function then(found) {
  if (!timeWindow.past || !found.kind || found.kind === "gas_alarm") return [];
  return [el("p", { class: "quiet kpi-rule kpi-then" }, say("kpi.past_readings"))];
}

/** What a reader opened, closed and scrolled to, by the words of the table; a minute later it is still so. */
function standing(body) {
  return new Map([...body.querySelectorAll("details")].map((each) => [each.querySelector("summary").textContent, { open: each.open, top: each.querySelector(".kpi-scroll").scrollTop }]));
}

function restore(body, left) {
  for (const each of body.querySelectorAll("details")) {
    const before = left.get(each.querySelector("summary").textContent);
    if (!before) continue;
    each.open = before.open;
    each.querySelector(".kpi-scroll").scrollTop = before.top;
  }
}

/** A figure as people look for it first: large, with what it is and what it is a share of. */
export function headline(value, words, ...below) {
  return el("p", { class: "kpi-headline" }, el("b", { class: "numeric" }, value), el("span", null, words), el("span", { class: "quiet numeric" }, below));
}

/** A table with a heading that stays; scrolls inside, for fingers and keys alike. */
export function table(label, columns, rows) {
  if (!rows.length) return null;
  const head = el("tr", null, columns.map(({ title, numeric }) => el("th", { scope: "col", class: numeric ? "numeric" : null }, title)));
  const body = rows.map((row) => el("tr", { class: row.listed ? `listed-${row.listed}` : null }, columns.map((column, i) => el(i ? "td" : "th", { scope: i ? null : "row", class: column.numeric ? "numeric" : null }, column.cell(row)))));
  return el(
    "details",
    { class: "kpi-details", open: columns.open ?? true },
    el("summary", null, label),
    el("div", { class: "kpi-scroll", tabindex: "0", role: "group", "aria-label": label }, el("table", { class: "kpi-table" }, el("thead", null, head), el("tbody", null, body))),
  );
}
