// The heading of a chart on the wall: the kind's shape and name, what is drawn, and its key figure.

import { el, setText } from "./dom.mjs";
import { live } from "./live.mjs";
import { kindMark } from "./shapes.mjs";
import { stage } from "./stage.mjs";
import { named, say } from "./texts.mjs";

/** What a chart says in the place of what it has not: by its key, unless nothing is kept of that time. */
export const emptyWords = (key) => say(live.gone ? "wall.not_kept" : key);

export class ChartHead {
  constructor(panel, kind, scope) {
    this.what = el("span", { class: "chart-what" });
    this.figure = el("b", { class: "chart-figure numeric" });
    panel.append(el("header", null, el("h2", null, kind.shape && kindMark(kind.shape), named(kind.name)), this.what, this.figure));
    const front = () => panel.classList.toggle("is-front", stage.kind === kind.key);
    front();
    scope.listen(stage, "scene", front);
  }

  /** `figure` is "12.3 t": the number stands large, its unit beside it; with a priority it is that of an alarm. */
  show(what, figure, priority) {
    setText(this.what, what);
    const key = `${figure}${priority ?? ""}`;
    if (this.key === key) return;
    this.key = key;
    const [, value, unit] = /^(\S*)\s*(.*)$/.exec(figure);
    this.figure.replaceChildren(value, unit ? el("small", null, unit) : "");
    this.figure.className = `chart-figure numeric${priority ? ` tone ${priority}` : ""}`;
  }
}
