"""Tables for other programs: what each column is called and holds, as CSV or as a workbook."""

import csv
import io
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any

import xlsxwriter  # type: ignore[import-untyped]

from cockpit.texts import Texts

Document = Mapping[str, Any]
Cell = str | float | bool | None
# A programme for tables takes a text that begins like this for a formula; the wide ones are typed in Chinese.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
# What the byte order mark is for: without it Excel reads UTF-8 as the code page of the machine.
_BOM = "\ufeff"
CSV_TYPE = "text/csv; charset=utf-8"
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True, slots=True)
class Column:
    """One column: the key of its title among the texts, and its cell of a row."""

    title: str
    cell: Callable[[Document], Cell]


def harmless(cell: Cell) -> Cell:
    """Return a cell that no program takes for a formula; numbers stay numbers."""
    if isinstance(cell, str) and cell.lstrip(" ").startswith(_FORMULA):
        return f"'{cell}"
    return cell


async def csv_text(
    columns: Sequence[Column], say: Texts, pages: AsyncIterator[Sequence[Document]]
) -> AsyncIterator[str]:
    """Yield a table as CSV, page by page."""
    yield _BOM + _lines([[say(column.title) for column in columns]])
    async for rows in pages:
        yield _lines([[_plain(harmless(column.cell(row))) for column in columns] for row in rows])


async def workbook(
    columns: Sequence[Column], say: Texts, pages: AsyncIterator[Sequence[Document]], name: str
) -> IO[bytes]:
    """Return a table as a workbook of one sheet, in a file that is gone when it is closed."""
    file = tempfile.TemporaryFile()  # noqa: SIM115
    # One row in memory at a time; no text becomes a formula, a link or a number.
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    book = xlsxwriter.Workbook(file, options)
    sheet = book.add_worksheet(name[:31])
    bold = book.add_format({"bold": True})
    for place, column in enumerate(columns):
        sheet.write_string(0, place, say(column.title), bold)
    sheet.freeze_panes(1, 0)
    number = 0
    async for rows in pages:
        for row in rows:
            number += 1
            for place, column in enumerate(columns):
                cell = harmless(column.cell(row))
                if cell is not None:
                    sheet.write(number, place, cell)
    book.close()
    file.seek(0)
    return file


def _lines(rows: Sequence[Sequence[object]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()


def _plain(cell: Cell) -> object:
    return int(cell) if isinstance(cell, bool) else cell
