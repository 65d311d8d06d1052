// The heading of a chart on the wall: the kind's shape and name, what is drawn, and the number of the moment.

import { el, setText } from "./dom.mjs";
import { kindMark } from "./shapes.mjs";
import { stage } from "./scenes.mjs";
import { named } from "./texts.mjs";

export class ChartHead {
  constructor(panel, kind, scope) {
    this.what = el("span", { class: "chart-what" });
    this.figure = el("b", { class: "chart-figure" });
    panel.append(el("header", null, el("h2", null, kindMark(kind.shape), named(kind.name)), this.what, this.figure));
    const front = () => panel.classList.toggle("is-front", stage.kind === kind.key);
    front();
    scope.listen(stage, "scene", front);
  }

  show(what, figure) {
    setText(this.what, what);
    setText(this.figure, figure);
  }
}
