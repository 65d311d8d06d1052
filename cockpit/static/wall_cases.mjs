// The foot of the wall beside the alarms: how many cases are open and how late, and the two that run out first.

import { caseWatch } from "./case_watch.mjs";
import { CaseCells } from "./case_cells.mjs";
import { colourMark } from "./case_words.mjs";
import { el, setText } from "./dom.mjs";
import { number, time } from "./format.mjs";
import { say } from "./texts.mjs";

const COLOURS = ["green", "amber", "red"];
const SHOWN = 2;

export function mount(element, scope) {
  const counts = new Map(COLOURS.map((colour) => [colour, el("b", { class: "numeric" })]));
  const head = el(
    "header",
    null,
    el("h2", null, say("wall.cases")),
    el("ul", null, COLOURS.map((colour) => el("li", { class: `due-${colour}` }, colourMark(colour), say(`cases.colour_${colour}`), counts.get(colour)))),
  );
  const strip = el("div", { class: "case-cells" });
  const empty = el("p", { class: "wall-cases-none" });
  element.append(head, strip, empty);
  const cells = new CaseCells(strip, scope);
  const show = () => {
    for (const colour of COLOURS) setText(counts.get(colour), caseWatch.counts ? number(caseWatch.counts.colours[colour]) : say("device.no_value"));
    cells.show(caseWatch.items.slice(0, SHOWN));
    let words = caseWatch.items.length || !caseWatch.at ? "" : say("wall.no_cases_at", { time: time(caseWatch.at) });
    // Old countdowns would go on running as if they were true.
    if (caseWatch.failed) words = caseWatch.at ? say("wall.cases_failed", { time: time(caseWatch.at) }) : say("wall.cases_unread");
    setText(empty, words);
    strip.hidden = !caseWatch.items.length || Boolean(caseWatch.failed);
  };
  scope.listen(caseWatch, "change", show);
  caseWatch.follow(scope);
  show();
}
