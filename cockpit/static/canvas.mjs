// A canvas that fills its box sharply on any screen and is drawn in CSS pixels, with the page's own type.

import { el, rem, token } from "./dom.mjs";

export class Sheet {
  constructor(container, label) {
    this.canvas = el("canvas", { role: "img", "aria-label": label });
    this.box = el("div", { class: "sheet" }, this.canvas);
    container.append(this.box);
    this.colours = new Map();
  }

  /** Start a fresh drawing; returns null while the box has no size. */
  begin() {
    const ratio = window.devicePixelRatio || 1;
    const { clientWidth: width, clientHeight: height } = this.box;
    if (width < 10 || height < 10) return null;
    const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (this.canvas.width !== w || this.canvas.height !== h) {
      this.canvas.width = w;
      this.canvas.height = h;
    }
    const pen = this.canvas.getContext("2d");
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    this.pen = pen;
    this.unit = Math.max(rem(), parseFloat(getComputedStyle(this.box).fontSize));
    this.width = width;
    this.height = height;
    return pen;
  }

  colour(name) {
    if (!this.colours.has(name)) this.colours.set(name, token(name));
    return this.colours.get(name);
  }

  type(size = 1, weight = 400) {
    this.face ??= token("--face");
    this.pen.font = `${weight} ${size * this.unit}px ${this.face}`;
  }

  text(words, x, y, { size = 1, weight = 400, colour = "--quiet", align = "left", base = "alphabetic" } = {}) {
    this.type(size, weight);
    this.pen.fillStyle = this.colour(colour);
    this.pen.textAlign = align;
    this.pen.textBaseline = base;
    this.pen.fillText(words, x, y);
  }

  /** The words as far as they fit into a width, with an ellipsis where they do not. */
  fitted(words, width, size = 1, weight = 400) {
    this.type(size, weight);
    if (this.pen.measureText(words).width <= width) return words;
    let shown = words;
    while (shown && this.pen.measureText(`${shown}…`).width > width) shown = shown.slice(0, -1);
    return `${shown.trimEnd()}…`;
  }

  line(x0, y0, x1, y1, colour, width = 1, dash = []) {
    const { pen } = this;
    pen.strokeStyle = this.colour(colour);
    pen.lineWidth = width;
    pen.setLineDash(dash);
    pen.beginPath();
    pen.moveTo(x0, y0);
    pen.lineTo(x1, y1);
    pen.stroke();
    pen.setLineDash([]);
  }
}

/** A rounded step that gives about `count` ticks between two values. */
export function niceStep(span, count) {
  const rough = span / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(rough || 1));
  return power * ([1, 2, 5, 10].find((m) => m * power >= rough) ?? 10);
}
