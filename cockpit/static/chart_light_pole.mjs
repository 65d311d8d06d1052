// Light poles: how many of the lamps that should burn do, street by street the darkest first; by day how many did in
// the nights before. When the scene is theirs, the worst air too.

import { drawBarRows } from "./bar_rows.mjs";
import { Sheet } from "./canvas.mjs";
import { ChartHead, emptyWords } from "./chart_head.mjs";
import { kinds, places, site } from "./city.mjs";
import { el, setText } from "./dom.mjs";
import { number, time, unitOf } from "./format.mjs";
import { valuesOf } from "./kind_headlines.mjs";
import { exactPercent } from "./kpi_words.mjs";
import { LineChart } from "./line_chart.mjs";
import { live } from "./live.mjs";
import { limitsOf, rankedTrend } from "./ranked_trend.mjs";
import { streetLamps } from "./street_lamps.mjs";
import { named, say } from "./texts.mjs";
import { wallFigures } from "./wall_figures.mjs";

const WINDOW_MS = 60 * 60_000;

export async function mount(panel, scope) {
  const [table, known, city, lamps] = await Promise.all([kinds(), places(), site(), streetLamps()]);
  const kind = table.get("light_pole");
  if (!kind) return;
  const head = new ChartHead(panel, kind, scope);
  const words = el("p", { class: "chart-words" });
  panel.append(words);
  const sheet = new Sheet(panel, `${named(kind.name)} ${say("wall.lit_rate")}`);
  const empty = el("p", { class: "chart-empty" });
  panel.append(empty);
  const street = (key) => named(city.street.get(key)?.name, key);
  const share = (lit, due) => ({ numerator: lit, denominator: due, value: due ? lit / due : null });
  const draw = () => {
    const now = lamps();
    const nights = wallFigures.of("light_pole");
    const [due, lit] = ["due", "lit"].map((key) => now.reduce((sum, each) => sum + each[key], 0));
    const rate = due ? share(lit, due) : nights?.total.lit;
    head.show(say(due ? "wall.lit_rate_now" : "wall.lit_rate_nights"), rate?.denominator ? exactPercent(rate) : "");
    if (due) setText(words, say("wall.lit_of", { due: number(due), lit: number(lit), time: time(live.now()) }));
    else setText(words, rate?.denominator ? say("wall.lamps_off_nights", { time: time(nights.at) }) : emptyWords("wall.lamps_off"));
    const past = (nights?.streets ?? []).filter((row) => row.lit.denominator).sort((a, b) => a.lit.value - b.lit.value);
    const rows = due ? now.map((each) => row(street(each.key), share(each.lit, each.due))) : past.map((each) => row(street(each.street), each.lit));
    panel.classList.toggle("is-empty", !rows.length);
    setText(empty, rows.length || !live.ready ? "" : emptyWords("wall.no_nights"));
    if (sheet.begin()) drawBarRows(sheet, rows, { full: "--lit", empty: "--unlit" });
  };
  scope.resized(sheet.box, draw);
  scope.every(2000, draw);
  scope.listen(live, "snapshot", draw);
  scope.listen(wallFigures, "change", draw);
  wallFigures.follow("light_pole", scope);
  mountAir(panel, scope, { kind, known, street });
}

const row = (name, ratio) => ({ name, share: ratio.value, text: exactPercent(ratio) });

function mountAir(panel, scope, { kind, known, street }) {
  const air = kind.field("pm25_ugm3");
  if (!air) return;
  const box = el("div", { class: "chart-more only-front" });
  panel.append(box);
  const chart = new LineChart(box, `${named(kind.name)} ${named(air.name)}`, scope);
  const ids = [...known.values()].filter((p) => p.kind === "light_pole").map((p) => p.id);
  rankedTrend(scope, air.key, WINDOW_MS, 3, () => valuesOf(ids, air.key), (chosen, trends) => {
    const lines = chosen.map(({ id, value }) => ({ name: id, place: street(known.get(id)?.street), now: `${number(value)} ${unitOf(air)}`, points: trends.points(id) }));
    const caption = `${named(air.name)} ${unitOf(air)} · ${say("wall.last_60_min")}`;
    chart.draw({ lines, limits: limitsOf(air), from: live.now() - WINDOW_MS, to: live.now(), low: 0, gapMs: kind.stale_after_s * 1000, caption });
  });
}
