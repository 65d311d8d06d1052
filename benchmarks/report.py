"""A figure's result: rows of measured runs, shown as medians with their spread and as ratios to peers; and as JSON."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from unicodedata import east_asian_width

from benchmarks.spread import median, shown


@dataclass(frozen=True)
class Column:
    """One measured quantity."""

    key: str
    title: str
    digits: int = 0


@dataclass(frozen=True)
class Ratio:
    """The median of a column, divided by that of another row (``to``)."""

    key: str
    to: str
    title: str


@dataclass
class Row:
    """What was measured of one contestant or setting: per column one value a run. ``absent`` says why there is none."""

    name: str
    runs: dict[str, list[float]] = field(default_factory=dict)
    absent: str = ""

    def add(self, values: Mapping[str, float]) -> None:
        """Add one run."""
        for key, value in values.items():
            self.runs.setdefault(key, []).append(value)


@dataclass
class Report:
    """One figure."""

    name: str
    title: str
    load: str
    columns: Sequence[Column]
    ratios: Sequence[Ratio] = ()
    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def row(self, name: str) -> Row:
        """Return a row by name, made if missing."""
        for row in self.rows:
            if row.name == name:
                return row
        self.rows.append(Row(name))
        return self.rows[-1]

    def told_end(self, name: str, number: int, said: str) -> None:
        """Note that a contestant ended by itself in a run: its figures there must not pass for a speed."""
        if said:
            self.notes.append(f"{name} ended by itself in run {number + 1}: {said}")

    def markdown(self) -> str:
        """Return title, table and notes in Markdown."""
        head, *rows = self._cells()
        lines = [f"**{self.title}** — {self.load}", "", _line(head), _line(["---", *["---:"] * (len(head) - 1)])]
        lines.extend(_line(row) for row in rows)
        return "\n".join([*lines, *_after(self.notes)]) + "\n"

    def text(self) -> str:
        """Return the same for a terminal."""
        cells = list(self._cells())
        widths = [max(_width(row[place]) for row in cells if place < len(row)) for place in range(len(cells[0]))]
        lines = [f"{self.title} — {self.load}", ""]
        for row in cells:
            padded = [cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)]
            lines.append("  ".join(padded).rstrip())
        return "\n".join([*lines, *_after(self.notes)]) + "\n"

    def document(self) -> dict[str, Any]:
        """Return everything as plain values."""
        return {
            "name": self.name,
            "title": self.title,
            "load": self.load,
            "columns": {column.key: column.title for column in self.columns},
            "rows": [
                {"name": row.name, "not_run": row.absent}
                if row.absent
                else {"name": row.name, "runs": row.runs, "median": {key: median(row.runs[key]) for key in row.runs}}
                for row in self.rows
            ],
            "ratios": [
                {"row": row.name, "column": ratio.key, "to": ratio.to, "ratio": found}
                for row in self.rows
                for ratio in self.ratios
                if (found := self._ratio(row, ratio)) is not None
            ],
            "notes": self.notes,
        }

    def _cells(self) -> Iterator[list[str]]:
        yield ["", *(column.title for column in self.columns), *(ratio.title for ratio in self.ratios)]
        for row in self.rows:
            if row.absent:
                blank = [""] * (len(self.columns) + len(self.ratios) - 1)
                yield [row.name, f"not run: {row.absent}", *blank]
                continue
            values = [
                shown(row.runs[column.key], column.digits) if row.runs.get(column.key) else "–"
                for column in self.columns
            ]
            ratios = [self._ratio(row, ratio) for ratio in self.ratios]
            yield [row.name, *values, *("–" if found is None else f"{found:.2f}" for found in ratios)]

    def _ratio(self, row: Row, ratio: Ratio) -> float | None:
        other = next((other for other in self.rows if other.name == ratio.to), None)
        if other is None or not other.runs.get(ratio.key) or not row.runs.get(ratio.key):
            return None
        below = median(other.runs[ratio.key])
        return median(row.runs[ratio.key]) / below if below else None


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', '¦') for cell in cells)} |"


def _after(notes: Sequence[str]) -> list[str]:
    return ["", *(f"- {note}" for note in notes)] if notes else []


def _width(cell: str) -> int:
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in cell)
