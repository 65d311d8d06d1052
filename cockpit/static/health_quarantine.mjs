// What could not be read, by reason and device; an engineer looks at samples and lets it be tried again.

import { address } from "./api.mjs";
import { el } from "./dom.mjs";
import { moment, number } from "./format.mjs";
import { feed, oldness, placeholder } from "./health_feed.mjs";
import { reasonText } from "./health_reasons.mjs";
import { askRetry } from "./health_retry.mjs";
import { showSamples } from "./health_samples.mjs";
import { live } from "./live.mjs";
import { session, sessions } from "./session.mjs";
import { mark, STATE_SHAPES } from "./shapes.mjs";
import { say } from "./texts.mjs";

const MOST = 100;
const READERS = ["engineer", "auditor"];

export function mount(element, scope) {
  const show = () => {
    const part = feed.part("quarantine");
    const instead = placeholder(part);
    if (instead) return element.replaceChildren(instead);
    const items = part.value.items.slice(0, MOST);
    if (!items.length) return element.replaceChildren(el("p", { class: "health-none" }, mark(STATE_SHAPES.ACKED), say("health.none_quarantine")));
    // A button that is being pressed must not be changed under the finger.
    if (element.contains(document.activeElement) && document.activeElement !== document.body && element.querySelector("table")) return update(element, items);
    const roles = session()?.roles ?? [];
    const heads = ["reason", "source", "messages", "last", "sentence"];
    element.replaceChildren(
      ...[oldness(part)].filter(Boolean),
      el(
        "table",
        { class: "facts health-table quarantine-table" },
        el("thead", null, el("tr", null, heads.map((key) => el("th", { scope: "col", class: key === "messages" ? "numeric" : key }, say(`health.${key}`))), el("th", { scope: "col" }, el("span", { class: "visually-hidden" }, say("health.acts"))))),
        el("tbody", null, items.map((group) => line(group, roles))),
      ),
      items.some((group) => group.sentence === null) ? el("p", { class: "quiet" }, say("health.hidden")) : "",
      part.value.items.length > MOST ? el("p", { class: "quiet" }, say("health.more_groups")) : "",
    );
  };
  feed.need("quarantine", scope, show);
  scope.listen(sessions, "change", show);
}

const keyOf = (group) => `${group.shard ?? ""} ${group.reason} ${group.device}`;

function line(group, roles) {
  const readable = READERS.some((role) => roles.includes(role));
  return el(
    "tr",
    { "data-group": keyOf(group) },
    el("th", { scope: "row" }, reasonText(group.reason)),
    el("td", { class: "device", "data-label": say("health.source"), title: group.device }, source(group)),
    el("td", { class: "numeric count", "data-label": say("health.messages") }, number(group.count)),
    el("td", { class: "numeric last", "data-label": say("health.last"), title: say("health.first_at", { time: moment(group.first_at, live.now()) }) }, moment(group.last_at, live.now())),
    el("td", { class: "sentence", lang: "en" }, group.sentence ?? say("device.no_value")),
    el(
      "td",
      { class: "acts" },
      el("button", { type: "button", onclick: () => showSamples(group, readable) }, say("health.samples")),
      group.reason === "refused" ? "" : el("button", { type: "button", onclick: () => askRetry(group) }, say("health.retry")),
    ),
  );
}

function source(group) {
  const known = live.online.has(group.device);
  const device = known ? el("a", { href: address(`device/${encodeURIComponent(group.device)}`) }, group.device) : el("span", null, group.device || say("health.no_device"));
  return group.shard && group.shard !== "main" ? el("span", null, device, el("span", { class: "quiet" }, ` ${group.shard}`)) : device;
}

function update(element, items) {
  for (const group of items) {
    const row = element.querySelector(`[data-group="${CSS.escape(keyOf(group))}"]`);
    if (!row) continue;
    row.querySelector(".count").textContent = number(group.count);
    row.querySelector(".last").textContent = moment(group.last_at, live.now());
  }
}
