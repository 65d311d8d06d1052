// The played city in a frame: its wall, its duty desk or its overview, drawn as large as on a wall and scaled to fit.

import { benchDesk } from "./bench_desk.mjs";
import { el } from "./dom.mjs";
import { say, settings } from "./texts.mjs";

const PAGES = ["wall", "duty", "cases", "overview"];
const WIDTH = 1920;
const HEIGHT = 1080;

export function mount(element, scope) {
  let page = PAGES[0];
  let shown = "";
  const stage = el("div", { class: "bench-stage" });
  const tabs = el("div", { class: "bench-tabs", role: "group", "aria-label": say("bench.city") });
  element.append(tabs, stage);
  const fit = () => {
    const frame = stage.querySelector("iframe");
    if (!frame) return;
    const scale = stage.clientWidth / WIDTH;
    frame.style.transform = `scale(${scale})`;
    stage.style.blockSize = `${HEIGHT * scale}px`;
  };
  const show = () => {
    const run = benchDesk.run;
    const told = run?.city ? `${run.city}${page}` : run ? run.state : "none";
    if (told === shown) return;
    shown = told;
    // Without a run its own area says so, once.
    element.hidden = !run;
    if (!run?.city) {
      tabs.replaceChildren();
      stage.style.blockSize = "";
      stage.replaceChildren(el("p", { class: "quiet" }, say(run?.over ? "bench.no_city" : "bench.soon")));
      return;
    }
    const path = (key) => `${key === "overview" ? "" : key}?lang=${settings.language}`;
    tabs.replaceChildren(
      ...PAGES.map((key) => el("button", { type: "button", "aria-pressed": String(key === page), onclick: () => ((page = key), show()) }, say(`shell.${key}`))),
      el("a", { class: "button", href: benchDesk.within(path(page)), target: "_blank" }, say("bench.own_window")),
    );
    stage.replaceChildren(el("iframe", { src: benchDesk.within(path(page)), title: say("bench.city"), width: String(WIDTH), height: String(HEIGHT) }));
    fit();
  };
  show();
  scope.listen(benchDesk, "change", show);
  scope.resized(stage, fit);
}
