// The scenes of the wall: every twenty seconds another kind stands in front, and the whole city between the rounds.
// While an urgent alarm has taken over, the scenes wait.

import { kinds } from "./city.mjs";
import { el, setText } from "./dom.mjs";
import { named, say } from "./texts.mjs";

const SCENE_MS = 20_000;

class Stage extends EventTarget {
  constructor() {
    super();
    this.kind = null;
    this.alarm = null;
  }

  show(kind) {
    this.kind = kind;
    this.dispatchEvent(new Event("scene"));
  }

  /** An alarm that takes over the wall, or null when it is over. */
  focus(alarm) {
    if (alarm?.id === this.alarm?.id) return;
    this.alarm = alarm;
    this.dispatchEvent(new Event("focus"));
  }
}

export const stage = new Stage();

export async function mount(element, scope) {
  const charted = [...document.querySelectorAll("[data-kind]")].map((panel) => panel.dataset.kind);
  const known = await kinds();
  const rounds = [null, ...charted.filter((kind) => known.has(kind))];
  let turn = 0;
  const name = el("span");
  const dots = rounds.map(() => el("i"));
  element.append(name, ...dots);
  scope.listen(stage, "scene", () => {
    setText(name, stage.kind ? named(known.get(stage.kind).name) : say("wall.scene_all"));
    dots.forEach((dot, i) => dot.classList.toggle("is-now", rounds[i] === stage.kind));
  });
  stage.show(rounds[0]);
  scope.every(SCENE_MS, () => {
    if (stage.alarm) return;
    turn = (turn + 1) % rounds.length;
    stage.show(rounds[turn]);
  });
}
