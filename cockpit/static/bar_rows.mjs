// Rows of a name, a bar of a share and what it says, as many as the drawing has room for.

const ROW_EM = 1.7;

/** @param rows [{name, share, text}], the most important first; `full` and `empty` are the colours of the bar. */
export function drawBarRows(sheet, rows, { full, empty, top = 0 }) {
  const { pen, unit: em } = sheet;
  const count = Math.max(1, Math.floor((sheet.height - top) / (ROW_EM * em)));
  const shown = rows.slice(0, count);
  sheet.type(1);
  const widest = (key) => Math.max(0, ...shown.map((row) => pen.measureText(row[key]).width));
  const label = Math.min(sheet.width * 0.42, widest("name") + 0.6 * em);
  const right = widest("text") + 0.8 * em;
  const width = Math.max(0, sheet.width - label - right);
  shown.forEach((row, i) => {
    const y = top + i * ROW_EM * em + 0.35 * em;
    const base = y + 0.85 * em;
    sheet.text(sheet.fitted(row.name, label - 0.4 * em), 0, base, { colour: "--ink" });
    pen.fillStyle = sheet.colour(empty);
    pen.fillRect(label, y, width, em);
    pen.fillStyle = sheet.colour(full);
    pen.fillRect(label, y, width * Math.min(1, row.share), em);
    sheet.text(row.text, sheet.width, base, { align: "right", weight: 600, colour: "--ink" });
  });
}
