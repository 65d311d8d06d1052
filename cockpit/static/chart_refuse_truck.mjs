// Refuse trucks: how many are how full, against the limits of their registered mass.

import { Sheet } from "./canvas.mjs";
import { ChartHead } from "./chart_head.mjs";
import { kinds, places } from "./city.mjs";
import { number, tonnes } from "./format.mjs";
import { valuesOf } from "./kind_headlines.mjs";
import { live } from "./live.mjs";
import { named, say } from "./texts.mjs";

const STEP = 10;
const STEPS = 14;

export async function mount(panel, scope) {
  const [table, known] = await Promise.all([kinds(), places()]);
  const kind = table.get("refuse_truck");
  const field = kind?.field("load_pct");
  if (!field) return;
  const head = new ChartHead(panel, kind, scope);
  const sheet = new Sheet(panel, `${named(kind.name)} ${say("wall.load_share")}`);
  const ids = [...known.values()].filter((p) => p.kind === "refuse_truck").map((p) => p.id);
  const levels = field.limits[0]?.levels ?? [];
  const draw = () => {
    const loads = valuesOf(ids, "load_kg").reduce((sum, r) => sum + r.value, 0);
    head.show(say("wall.load_share"), tonnes(loads));
    bars(sheet, valuesOf(ids, field.key).map((r) => r.value), levels);
  };
  scope.resized(sheet.box, draw);
  scope.every(2000, draw);
  scope.listen(live, "snapshot", draw);
}

function bars(sheet, shares, levels) {
  const pen = sheet.begin();
  if (!pen) return;
  const em = sheet.unit;
  const counts = new Array(STEPS).fill(0);
  for (const share of shares) counts[Math.min(STEPS - 1, Math.max(0, Math.floor(share / STEP)))] += 1;
  const box = { left: 0.4 * em, right: sheet.width - 0.4 * em, top: 1.5 * em, bottom: sheet.height - 1.6 * em };
  const width = (box.right - box.left) / STEPS;
  const most = Math.max(4, ...counts);
  counts.forEach((count, i) => {
    const reached = levels.filter((level) => level.value <= i * STEP).pop();
    const x = box.left + i * width;
    const height = (count / most) * (box.bottom - box.top);
    pen.fillStyle = sheet.colour(reached ? `--${reached.priority.toLowerCase()}` : "--data");
    pen.fillRect(x + width * 0.12, box.bottom - height, width * 0.76, height);
    if (count) sheet.text(number(count), x + width / 2, box.bottom - height - 0.25 * em, { align: "center", size: 0.95, weight: 600, colour: "--ink" });
    if (i % 2 === 0) sheet.text(`${i * STEP}${i === 12 ? " %" : ""}`, x, sheet.height - 0.25 * em, { align: i ? "center" : "left", size: 0.95 });
  });
  sheet.line(box.left, box.bottom, box.right, box.bottom, "--line-strong", 1);
  const full = box.left + 10 * width;
  sheet.line(full, box.top - 0.6 * em, full, box.bottom, "--quiet", 1, [em * 0.3, em * 0.3]);
  sheet.text(say("wall.rated"), full - 0.3 * em, box.top - 0.1 * em, { align: "right", size: 0.95 });
}
