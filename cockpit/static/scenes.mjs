// The scenes of the wall and the strip above the map: which one is on, what it says in a line, which comes next and when.
//
// Every twenty seconds another scene, unless the address says otherwise (?scene_s=30). While an urgent alarm has taken
// over they wait, and then go on with what was on. A scene that has nothing to show is passed over.

import { kinds } from "./city.mjs";
import { el, setText } from "./dom.mjs";
import { number } from "./format.mjs";
import { caseWatch } from "./case_watch.mjs";
import { live } from "./live.mjs";
import { factsOf } from "./scene_facts.mjs";
import { stage } from "./stage.mjs";
import { named, say } from "./texts.mjs";

const SCENE_S = 20;
const SHORTEST_S = 1;

export async function mount(element, scope) {
  const [known, facts] = await Promise.all([kinds(), factsOf()]);
  if (!scope.open) return;
  const charted = [...document.querySelectorAll("[data-kind]")].map((panel) => panel.dataset.kind);
  const scenes = [
    { key: "city", kind: null, name: say("scene.city"), worth: () => true },
    ...charted.filter((kind) => known.has(kind)).map((kind) => ({ key: kind, kind, name: named(known.get(kind).name), worth: () => true })),
    { key: "cases", kind: "cases", name: say("scene.cases"), worth: () => caseWatch.items.length > 0 },
  ];
  const periodMs = 1000 * period();
  const name = el("b", { class: "scene-name" });
  const line = el("span", { class: "scene-facts" });
  const next = el("span", { class: "scene-next numeric" });
  const dots = scenes.map(() => el("i"));
  element.append(name, line, el("span", { class: "scene-turn" }, next, el("span", { class: "scene-dots", "aria-hidden": "true" }, dots)));
  let turn = 0;
  let leftMs = periodMs;
  let lookedAt = performance.now();

  const following = () => {
    for (let step = 1; step <= scenes.length; step++) {
      const place = (turn + step) % scenes.length;
      if (scenes[place].worth()) return place;
    }
    return turn;
  };
  const tell = () => {
    const scene = scenes[turn];
    if (element.dataset.scene !== scene.key) element.dataset.scene = scene.key;
    element.classList.toggle("is-held", Boolean(stage.alarm));
    setText(name, scene.name);
    setText(line, live.ready ? facts(scene.key) : say("shell.loading"));
    const coming = scenes[following()];
    setText(next, stage.alarm ? say("scene.held") : say("scene.next", { name: coming.name, s: number(Math.max(0, Math.ceil(leftMs / 1000))) }));
    scenes.forEach((each, i) => {
      dots[i].className = i === turn ? "is-now" : each.worth() ? "" : "is-empty";
    });
  };
  const look = () => {
    const now = performance.now();
    const passed = now - lookedAt;
    lookedAt = now;
    if (!stage.alarm) {
      leftMs -= passed;
      if (leftMs <= 0) {
        turn = following();
        leftMs = periodMs;
        stage.show(scenes[turn]);
      }
    }
    tell();
  };
  stage.show(scenes[turn]);
  tell();
  scope.every(Math.min(1000, periodMs / 4), look);
  scope.listen(stage, "scene", tell);
  caseWatch.follow(scope);
}

function period() {
  const asked = Number(new URLSearchParams(window.location.search).get("scene_s"));
  return asked >= SHORTEST_S ? asked : SCENE_S;
}
