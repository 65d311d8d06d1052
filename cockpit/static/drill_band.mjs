// On every page of an exercise: that this is one, whose it is, the way back, and when it has ended the way to its report.

import { liveAddress } from "./api.mjs";
import { el } from "./dom.mjs";
import { leads } from "./drill_start.mjs";
import { drillWatch, endDrill } from "./drill_watch.mjs";
import { named, say, settings } from "./texts.mjs";
import { sessions } from "./session.mjs";

const OWN = /\/drill\/city\/([^/]+)\//.exec(window.location.pathname)?.[1] ?? "";

export function mount(element, scope) {
  document.body.classList.add("is-drill");
  scope.add(() => document.body.classList.remove("is-drill"));
  let last = "";
  const show = () => {
    const drill = drillWatch.drill?.id === OWN ? drillWatch.drill : null;
    const over = drillWatch.known && !drill;
    const told = JSON.stringify([drill?.name, drill?.led_by, over, leads()]);
    if (told === last) return;
    last = told;
    element.classList.toggle("is-over", over);
    element.replaceChildren(...(over ? ended() : running(drill)));
  };
  show();
  scope.listen(drillWatch, "change", show);
  scope.listen(sessions, "change", show);
  scope.every(1_000, () => drillWatch.tick());
  drillWatch.tick();
}

const language = () => `lang=${settings.language}`;
const tag = () => el("strong", { class: "drill-tag" }, say("drill.mark"));
const back = () => el("a", { class: "button", href: liveAddress(`duty?${language()}`) }, say("drill.to_live"));

function running(drill) {
  return [
    tag(),
    el("span", null, say("drill.here")),
    drill && el("span", { class: "drill-band-more" }, `${named(drill.name)} · ${say("drill.led_by", { name: drill.led_by })}`),
    back(),
    drill && leads() && el("button", { type: "button", "data-act": "end-drill", onclick: () => endDrill(drill, toReport) }, say("drill.end")),
  ].filter(Boolean);
}

const report = () => liveAddress(`drill/${encodeURIComponent(OWN)}?${language()}`);
const toReport = () => window.location.assign(report());

function ended() {
  return [tag(), el("span", null, say("drill.ended_here")), el("a", { class: "button primary", href: report() }, say("drill.to_report")), back()];
}
