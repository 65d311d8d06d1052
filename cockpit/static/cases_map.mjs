// The heat map: each street in the colour of its most urgent case, with shape and counts; a press narrows the list to it.

import { caseDesk } from "./case_desk.mjs";
import { colourMark } from "./case_words.mjs";
import { site } from "./city.mjs";
import { el } from "./dom.mjs";
import { number } from "./format.mjs";
import { streetMap } from "./street_map.mjs";
import { named, say } from "./texts.mjs";

const WORST = ["red", "amber", "green"];

export async function mount(element, scope) {
  const city = await site();
  if (!scope.open) return;
  const map = streetMap(city);
  const streets = map ? map.streets : [...city.street.values()];
  const cells = new Map(streets.map((street) => [street.key, cell(street)]));
  if (map) {
    element.append(map.element);
    for (const street of streets) map.put(map.middle(street), cells.get(street.key));
  } else {
    element.append(el("div", { class: "street-tiles" }, [...cells.values()]));
  }
  element.append(legend());
  let drawn = "";
  const show = () => {
    const counts = caseDesk.counts?.streets ?? {};
    const key = JSON.stringify([counts, caseDesk.filter.street]);
    if (key === drawn) return;
    drawn = key;
    for (const street of streets) paint(cells.get(street.key), map?.shape(street.key), street, counts[street.key] ?? {});
  };
  show();
  scope.listen(caseDesk, "change", show);
  scope.listen(caseDesk, "filter", show);
}

function cell(street) {
  const press = () => caseDesk.narrow({ street: caseDesk.filter.street === street.key ? "" : street.key });
  return el("button", { type: "button", class: "street-cell", "data-street": street.key, onclick: press });
}

function paint(button, shape, street, counts) {
  const worst = WORST.find((colour) => counts[colour]) ?? "";
  const present = WORST.filter((colour) => counts[colour]);
  // Read out like the map is seen: the name of each colour stands before its count.
  const unseen = (words) => el("span", { class: "visually-hidden" }, ` · ${words} `);
  const parts = present.map((colour) => el("span", { class: `street-count due-${colour}` }, colourMark(colour), unseen(say(`cases.colour_${colour}`)), number(counts[colour])));
  button.replaceChildren(el("span", null, named(street.name)), el("span", { class: "street-counts" }, parts.length ? parts : unseen(say("cases.none"))));
  const chosen = caseDesk.filter.street === street.key;
  button.setAttribute("aria-pressed", String(chosen));
  for (const part of [button, shape].filter(Boolean)) {
    part.setAttribute("data-heat", worst);
    part.classList.toggle("is-chosen", chosen);
  }
}

function legend() {
  return el(
    "ul",
    { class: "case-legend" },
    WORST.toReversed().map((colour) => el("li", { class: `due-${colour}` }, colourMark(colour), say(`cases.colour_${colour}`))),
  );
}
