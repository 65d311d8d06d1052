// The life of one mounted area: whatever it starts is stopped when its element leaves the page.

export class Scope {
  constructor() {
    this.open = true;
    this.endings = [];
  }

  /** Run a function when the area goes; at once if it is gone already. */
  add(ending) {
    if (this.open) this.endings.push(ending);
    else ending();
  }

  listen(target, type, handler, options) {
    target.addEventListener(type, handler, options);
    this.add(() => target.removeEventListener(type, handler, options));
  }

  every(ms, work) {
    const timer = setInterval(work, ms);
    this.add(() => clearInterval(timer));
  }

  /** Call `work` with the element's size now and whenever it changes. */
  resized(element, work) {
    const observer = new ResizeObserver(() => work());
    observer.observe(element);
    this.add(() => observer.disconnect());
  }

  close() {
    this.open = false;
    for (const ending of this.endings.splice(0).reverse()) ending();
  }
}
