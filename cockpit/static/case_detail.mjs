// One case: the time it has, what may be done now, its facts and evidence, where it is, and everything that was done.

import { actButtons } from "./case_acts.mjs";
import { caseDesk } from "./case_desk.mjs";
import { Countdown, againMark, className, placeText, progress, whoText } from "./case_words.mjs";
import { address } from "./api.mjs";
import { cameraText, person } from "./contacts.mjs";
import { site } from "./city.mjs";
import { el } from "./dom.mjs";
import { duration, moment, number } from "./format.mjs";
import { live } from "./live.mjs";
import { streetMap } from "./street_map.mjs";
import { has, named, say } from "./texts.mjs";

export async function mount(element, scope) {
  const city = await site();
  let countdown = null;
  let shown = null;
  const close = () => {
    const from = caseDesk.chosen;
    caseDesk.choose(null);
    document.querySelector(`.case-row[data-case="${CSS.escape(from ?? "")}"]`)?.focus();
  };
  const show = () => {
    const item = caseDesk.detail;
    element.hidden = !caseDesk.chosen;
    if (!caseDesk.chosen) return (shown = null);
    if (!item) {
      shown = null;
      const words = caseDesk.failed || (caseDesk.unknown ? say("cases.unknown", { id: caseDesk.chosen }) : say("shell.loading"));
      return element.replaceChildren(closing(close), el("p", { class: "quiet" }, words));
    }
    const key = JSON.stringify({ ...item, remaining_s: 0 });
    if (key === shown) return;
    const fresh = !shown || JSON.parse(shown).id !== item.id;
    shown = key;
    countdown = new Countdown(item);
    element.replaceChildren(...content(item, countdown, city, close));
    if (fresh) element.scrollTop = 0;
  };
  show();
  scope.listen(caseDesk, "change", show);
  scope.listen(caseDesk, "choose", show);
  scope.every(1_000, () => countdown?.tick());
  scope.listen(document, "keydown", (event) => {
    if (event.key === "Escape" && caseDesk.chosen && !event.target.closest?.("dialog, input, textarea, select")) close();
  });
}

const closing = (close) => el("button", { type: "button", class: "case-close", onclick: close }, say("shell.close"));

function content(item, countdown, city, close) {
  return [
    el(
      "header",
      { class: "case-head" },
      el("p", { class: "case-head-top" }, el("span", { class: "quiet" }, item.id), closing(close)),
      el(
        "h2",
        null,
        className(item),
        item.severe && el("span", { class: "tag" }, say("cases.severe")),
        item.recurrence_of && el("span", { class: "tag tag-again" }, againMark(), say("cases.again")),
      ),
      el("p", null, placeText(item)),
      el("p", { class: "case-head-state" }, progress(item), countdown.element),
    ),
    actButtons(item),
    item.description && el("p", { class: "case-description" }, item.description),
    el("dl", { class: "facts" }, facts(item).flat()),
    ...position(item, city),
    ...evidence(item),
    el("h3", null, say("cases.history")),
    el("ol", { class: "case-history" }, item.history.map(step)),
  ].filter(Boolean);
}

function facts(item) {
  const when = (at) => moment(at, live.now());
  const row = (key, ...value) => [el("dt", null, say(`cases.fact_${key}`)), el("dd", null, ...value.filter(Boolean))];
  const link = (id) => el("button", { type: "button", class: "link", onclick: () => caseDesk.choose(id) }, id);
  const hours = item.limit && number(item.limit_s / 3600, (item.limit_s / 3600) % 1 ? 1 : 0);
  return [
    row("source", say(`cases.source_${item.source}`), item.reference && ` ${item.reference}`),
    row("class", className(item), item.code && el("span", { class: "quiet" }, ` ${item.code}`)),
    item.limit && row("limit", say("cases.hours", { h: hours }), el("span", { class: "quiet" }, ` · ${named(item.limit.source)} · ${say("alarm.grade", { grade: item.limit.grade })} · ${item.limit_version || item.limit.version}`)),
    item.deadline_at && row("deadline", when(item.deadline_at), item.overdue_at && ` · ${say("cases.colour_red")}`),
    item.extended_s > 0 && row("extended", duration(item.extended_s * 1000)),
    item.suspended_s > 0 && row("suspended", duration(item.suspended_s * 1000)),
    row("found", when(item.found_at), item.registered_at && ` · ${say("cases.until_registered", { time: duration(Date.parse(item.registered_at) - Date.parse(item.found_at)) })}`),
    row("unit", whoText(item), " ", item.unit?.phone && el("a", { href: `tel:${item.unit.phone}` }, item.unit.phone)),
    item.grid_officer && row("grid_officer", ...person(item.grid_officer)),
    item.camera && row("camera", cameraText(item.camera)),
    item.device && row("device", el("a", { href: address(`device/${encodeURIComponent(item.device)}`) }, item.device)),
    item.recurrence_of && row("recurrence_of", link(item.recurrence_of)),
    item.recurrences.length > 0 && row("recurrences", ...item.recurrences.flatMap((id) => [link(id), " "])),
    item.force && row("force", say("cases.force_text", { by: item.force.by, time: when(item.force.until), reason: item.force.reason })),
  ].filter(Boolean);
}

function position(item, city) {
  if (item.lat === null && !item.street) return [];
  const map = streetMap(city);
  if (!map) return [];
  map.highlight(item.street);
  if (item.lat !== null && item.lon !== null) map.pin([item.lon, item.lat]);
  return [el("h3", null, say("cases.position")), el("div", { class: "case-position" }, map.element)];
}

function evidence(item) {
  const alarms = item.alarms.map((alarm) =>
    el(
      "li",
      null,
      el("a", { href: address(`device/${encodeURIComponent(alarm.device)}`) }, alarm.device),
      ` ${alarm.priority} · ${moment(alarm.raised_at, live.now())} · ${say(alarm.active ? "cases.alarm_active" : "cases.alarm_over")} `,
      el("a", { class: "quiet", href: address(`duty?alarm=${encodeURIComponent(alarm.id)}`) }, alarm.id),
    ),
  );
  const pictures = item.evidence.map((each) =>
    el(
      "li",
      null,
      // Only a path on this very server is a link: nothing that somebody typed may lead a reader elsewhere.
      /^\/(?!\/)/.test(each.reference) ? el("a", { href: each.reference }, each.reference) : each.reference,
      each.finding && ` · ${each.finding}`,
      each.confidence !== null && ` ${number(100 * each.confidence)} %`,
      each.route && ` · ${each.route}`,
      el("span", { class: "quiet" }, ` · ${act(each.act)} · ${each.by} · ${moment(each.at, live.now())}`),
    ),
  );
  const found = [...alarms, ...pictures];
  return found.length ? [el("h3", null, say("cases.evidence")), el("ul", { class: "case-evidence" }, found)] : [];
}

const act = (name) => (has(`cases.act_${name}`) ? say(`cases.act_${name}`) : name);

function step(entry) {
  const refused = entry.action.endsWith("_refused");
  const what = refused ? say("cases.refused", { act: act(entry.action.slice(0, -"_refused".length)) }) : act(entry.action);
  const role = has(`cases.role_${entry.role}`) ? say(`cases.role_${entry.role}`) : entry.role;
  return el(
    "li",
    { class: refused ? "is-refused" : "" },
    el("span", { class: "numeric quiet" }, moment(entry.at, live.now())),
    el("span", null, el("b", null, what), entry.role === "system" ? "" : ` · ${entry.actor} `, entry.role !== "system" && el("span", { class: "quiet" }, role)),
    (entry.reason || entry.comment) && el("span", { class: "case-words" }, [entry.reason, entry.comment].filter(Boolean).join(" · ")),
  );
}
