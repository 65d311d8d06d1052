"""The report of a day as one HTML document that prints well: no scripts, plots as SVG in it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from html import escape
from typing import Any

from cockpit.kpi_parts import Document
from cockpit.problem_words import trouble_text
from cockpit.report import MOST_ALARMS, Report
from cockpit.report_plots import SHADES, days, stacks
from cockpit.texts import Texts
from cockpit.times import rfc3339
from devices.kind import PRIORITIES, Label
from devices.site import Site
from devices.units import UNITS

_SHARES = (
    "registered", "handled", "handled_in_time", "closed", "closed_in_time", "reworked", "recurred", "intelligent",
)  # fmt: skip
Cells = Sequence[object]


class Safe(str):
    """Text that is markup already."""

    __slots__ = ()


class ReportPage:
    """Writes a report in one language."""

    def __init__(self, site: Site, say: Texts, prefix: str) -> None:
        self._site = site
        self._say = say
        self._prefix = prefix

    def html(self, report: Report) -> str:
        """Return the document."""
        say = self._say
        city = self._named(self._site.label)
        title = f"{city} · {say('report.title')} · {report.day.date.isoformat()}"
        zone = self._site.timezone
        made = say("report.made", at=self._time(rfc3339(report.made_ms, zone)), zone=zone.key)
        notes = [made]
        if report.at_ms is not None:
            notes += [self._then(report, zone.key), say("report.then_readings")]
        elif report.running:
            notes.append(say("report.running"))
        if report.waiting:
            notes.append(say("report.unfinished", days=report.waiting))
        if report.away:
            notes.append(say("report.away", detail=trouble_text(report.away, say)))
        simulated = f'<p class="mark">{escape(say("shell.simulated"))}</p>' if self._site.simulated else ""
        past = "" if report.at_ms is None else f'<p class="mark">{escape(self._then(report, zone.key))}</p>'
        return self._document(
            title,
            f"{self._navigation(report)}<main><header><h1>{escape(title)}</h1>{simulated}{past}"
            f"{''.join(f'<p class=quiet>{escape(note)}</p>' for note in notes)}</header>"
            f"{self._happened(report)}{self._open(report)}{self._closed_loop(report)}{self._indicators(report)}"
            f"{self._load(report)}</main>",
        )

    def refused(self, words: str) -> str:
        """Return the document that says why there is no report."""
        say = self._say
        back = f'<a href="{self._prefix}kpi?lang={say.language}">{escape(say("report.back"))}</a>'
        title = f"{self._named(self._site.label)} · {say('report.title')}"
        nav = f'<nav aria-label="{escape(say("shell.pages"))}">{back}</nav>'
        return self._document(title, f"{nav}<main><h1>{escape(title)}</h1><p>{escape(words)}</p></main>")

    def _document(self, title: str, body: str) -> str:
        return (
            f'<!DOCTYPE html>\n<html lang="{"zh-CN" if self._say.language == "zh" else "en"}"><head>'
            f'<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<title>{escape(title)}</title>"
            f'<link rel="icon" type="image/svg+xml" href="{self._prefix}static/icon.svg">'
            f'<link rel="stylesheet" href="{self._prefix}static/vendor/noto-sans-sc/wght.css">'
            f'<link rel="stylesheet" href="{self._prefix}static/report.css"></head><body>{body}</body></html>'
        )

    def _then(self, report: Report, zone: str) -> str:
        at = datetime.fromtimestamp(report.known_ms / 1000, self._site.timezone).strftime("%Y-%m-%d %H:%M:%S")
        return self._say("report.then", at=at, zone=zone)

    def _navigation(self, report: Report) -> str:
        say, day = self._say, report.day.date
        other = "en" if say.language == "zh" else "zh"

        window = "" if report.at_ms is None else f"&amp;at={report.at_ms}"

        def at(when: object, language: str) -> str:
            return f"{self._prefix}report?day={when}&amp;lang={language}{window}"

        links = [
            (f"{self._prefix}kpi?lang={say.language}{window}", say("report.back")),
            (at(day - timedelta(days=1), say.language), say("report.day_before")),
            *([] if report.running else [(at(day + timedelta(days=1), say.language), say("report.day_after"))]),
            (at(day, other), say("shell.other_language")),
        ]
        made = "".join(f'<a href="{address}">{escape(words)}</a>' for address, words in links)
        return f'<nav aria-label="{escape(say("shell.pages"))}">{made}<span>{escape(say("report.print"))}</span></nav>'

    def _happened(self, report: Report) -> str:
        say = self._say
        totals = {key: sum(report.raised[key]) for key in PRIORITIES}
        count = sum(totals.values())
        parts = [(key, report.raised[key]) for key in PRIORITIES]
        legend = "".join(
            f'<li><svg viewBox="0 0 10 10" aria-hidden="true"><rect width="10" height="10" fill="{SHADES[key]}"/></svg>'
            f"{escape(self._priority(key))} <b>{totals[key]}</b></li>"
            for key in PRIORITIES
        )
        more = ""
        if report.serious_in_all > MOST_ALARMS:
            more = f"<p class=quiet>{say('report.serious_more', count=MOST_ALARMS, all=report.serious_in_all)}</p>"
        plot = stacks(say("report.by_hour"), say("report.count"), [name for name, _ in report.hours], parts)
        return self._section(
            say("report.happened"),
            f"<p class=figure><b>{count}</b> {escape(say('report.raised'))}</p><ul class=legend>{legend}</ul>{plot}",
            f"<h3>{escape(say('report.serious'))}</h3>",
            self._alarms(report.serious),
            more,
        )

    def _open(self, report: Report) -> str:
        say, now = self._say, ("_then" if report.at_ms is not None else "_now") if report.running else ""
        counts = " · ".join(f"{self._priority(key)} {report.open_counts[key]}" for key in PRIORITIES)
        names = {
            "_now": ("report.open_alarms_now", "report.open_cases_now"),
            "_then": ("report.open_alarms_then", "report.open_cases_then"),
        }
        alarms, cases = names.get(now, ("report.open_alarms", "report.open_cases"))
        street = self._site.streets
        rows = [
            (
                self._link(f"cases?case={row['id']}", row["id"]),
                row["name"][say.language],
                self._named(street[row["street"]].label) if row["street"] in street else row["street"],
                say(f"cases.state_{row['state']}"),
                self._time(row["deadline_at"]),
                say("report.overdue") if row["overdue"] else "",
            )
            for row in report.open_cases
        ]
        state = "kpi.state" if report.running or report.at_ms is not None else "report.state_now"
        head = ("kpi.case", "kpi.sub_class", "kpi.street", state, "kpi.deadline_at", "report.overdue")
        total = f"{report.open_cases_in_all} · {say('report.overdue')} {report.overdue_in_all}"
        return self._section(
            f"{say(alarms)} {sum(report.open_counts.values())}",
            f"<p>{escape(counts)}</p>",
            self._alarms(report.open_alarms),
        ) + self._section(f"{say(cases)} {total}", self._table([say(key) for key in head], rows))

    def _alarms(self, rows: Sequence[Document]) -> str:
        say, streets = self._say, self._site.streets
        head = ("raised_at", "priority", "what", "value", "street", "device", "state", "took", "acked_by")
        found = [
            (
                self._time(row["raised_at"]),
                self._priority(row["priority"]),
                row["rule_name"][say.language],
                self._value(row),
                self._named(streets[row["street"]].label) if row["street"] in streets else "",
                self._device(row),
                say(f"state.{row['state']}"),
                self._seconds(row["raise_to_ack_s"]),
                row["acked_by"] or self._none,
            )
            for row in rows
        ]
        return self._table([say(f"kpi.{key}") for key in head], found)

    def _closed_loop(self, report: Report) -> str:
        say = self._say
        rows = [
            (
                say(f"cases.share_{key}"),
                *self._share(report.shares_of_day[key]),
                *self._share(report.shares_of_month[key]),
            )
            for key in _SHARES
        ]
        basis = say("report.basis")
        head = (say("kpi.figure"), say("report.of_day"), basis, say("report.of_month"), basis)
        return self._section(say("report.cases"), self._table(head, rows, numeric=True), self._quiet("kpi.due_rule"))

    def _indicators(self, report: Report) -> str:
        say = self._say
        parts: list[str] = []
        for kind, name, key, figure in (
            ("bridge_wim", "kpi.rate", "overload", "overload"),
            ("light_pole", "kpi.lit_rate", "lit", "lit"),
            ("drone", "kpi.coverage", "coverage", "coverage"),
        ):
            if kind in report.kinds:
                shares: list[Cells] = [
                    (self._street(row["street"]), *self._share(row[figure])) for row in report.kinds[kind]["streets"]
                ]
                total = (self._all, *self._share(report.kinds[kind]["total"][key]))
                parts.append(self._kind(report, kind, "%", _percent(figure), 1))
                parts.append(self._table((say("kpi.street"), say(name), say("report.basis")), [total, *shares], True))
        if "refuse_truck" in report.kinds:
            found = report.kinds["refuse_truck"]
            rows: list[Cells] = [(self._all, *self._collected(found["total"]))]
            rows += [(self._street(row["street"]), *self._collected(row)) for row in found["streets"]]
            head = [say(f"kpi.{key}") for key in ("street", "tonnes", "lifts", "alarms", "per_100_t")]
            parts.append(self._kind(report, "refuse_truck", say("unit.tonne"), _tonnes, 1))
            parts.append(self._table(head, rows, True))
        if "gas_alarm" in report.kinds:
            found = report.kinds["gas_alarm"]
            rows = [(self._all, *self._acked(found["total"]))]
            rows += [(self._street(row["street"]), *self._acked(row)) for row in found["streets"] if row["alarms"]]
            head = [say(f"kpi.{key}") for key in ("street", "alarms", "acked", "median", "p95")]
            parts.append(self._kind(report, "gas_alarm", say("kpi.unit_minutes"), _minutes, 1))
            parts.append(self._table(head, rows, True))
        return self._section(say("report.indicators"), *parts)

    def _kind(self, report: Report, kind: str, unit: str, value: Callable[[Document], Any], digits: int) -> str:
        say = self._say
        found = [(row["day"][5:], value(row)) for row in report.weeks.get(kind, {}).get("days", ())]
        name = say(f"kpi.area_{kind}")
        return f"<h3>{escape(name)}</h3>" + days(f"{name} · {say('report.last_week')}", unit, found, digits, self._none)

    def _load(self, report: Report) -> str:
        say, load = self._say, report.load
        acked = load["raise_to_ack"]
        rows = [
            (say("kpi.activations"), load["activations"]),
            (say("kpi.per_10_min"), self._number(load["per_10_min"], 2)),
            (say("kpi.per_10_min_most"), self._number(load["per_10_min_most"], 0)),
            (say("kpi.per_hour"), self._number(load["per_hour"], 1)),
            (say("kpi.flood_share"), self._percent(load["flood_share"])),
            (say("kpi.busiest_share"), self._percent(load["busiest_share"])),
            (say("kpi.chattering"), len(load["chattering"])),
            (say("kpi.raise_to_ack"), f"{self._seconds(acked['median_s'])} (n = {acked['count']})"),
            (say("kpi.p95"), self._seconds(acked["p95_s"])),
            (say("kpi.nuisance"), self._percent(load["nuisance_rate"])),
        ]
        return self._section(say("report.load"), self._table((say("kpi.figure"), say("report.value")), rows, True))

    def _section(self, title: str, *parts: str) -> str:
        # On a phone a wide section scrolls by itself, which a keyboard has to reach.
        return f'<section tabindex=0 aria-label="{escape(title)}"><h2>{escape(title)}</h2>{"".join(parts)}</section>'

    def _table(self, head: Iterable[str], rows: Sequence[Cells], numeric: bool = False) -> str:
        if not rows:
            return f"<p class=quiet>{escape(self._say('report.none'))}</p>"
        titles = "".join(f"<th scope=col>{escape(each)}</th>" for each in head)
        body = "".join(f"<tr>{''.join(f'<td>{_cell(each)}</td>' for each in row)}</tr>" for row in rows)
        return (
            f"<table{' class=numbers' if numeric else ''}><thead><tr>{titles}</tr></thead><tbody>{body}</tbody></table>"
        )

    def _share(self, ratio: Document) -> tuple[str, str]:
        return self._percent(ratio["value"]), f"{ratio['numerator']:,} / {ratio['denominator']:,}"

    def _collected(self, row: Document) -> tuple[object, ...]:
        return f"{row['tonnes']:,.1f}", f"{row['lifts']:,}", row["alarms"], self._number(row["per_100_t"], 1)

    def _acked(self, row: Document) -> tuple[object, ...]:
        return row["alarms"], row["acked"], self._seconds(row["median_s"]), self._seconds(row["p95_s"])

    def _value(self, row: Document) -> str:
        if row["value"] is None:
            return ""
        if row["unit"] == "1":
            code = self._codes(row).get(int(row["value"]))
            return self._named(code) if code is not None else ""
        digits = f"{row['value']:,.2f}".rstrip("0").rstrip(".")
        return f"{digits} {self._named(UNITS[row['unit']])}".rstrip()

    def _codes(self, row: Document) -> Mapping[int, Label]:
        kind = self._site.catalog.kinds.get(row["kind"])
        fields = [f for m in kind.measurements for f in m.fields if f.key == row["field"]] if kind else []
        # "Lamp failure: yes" says nothing that "lamp failure" does not.
        return fields[0].codes if fields and fields[0].type == "code" else {}

    def _device(self, row: Document) -> object:
        name = (row["device_name"] or {}).get(self._say.language) or row["device"]
        return name if ":" in row["device"] else self._link(f"device/{row['device']}", name)

    def _link(self, path: str, words: str) -> Safe:
        return Safe(f'<a href="{escape(self._prefix + path, quote=True)}">{escape(words)}</a>')

    def _quiet(self, key: str) -> str:
        return f"<p class=quiet>{escape(self._say(key))}</p>"

    def _street(self, key: str) -> str:
        street = self._site.streets.get(key)
        return self._named(street.label) if street else key

    def _named(self, label: Any) -> str:
        return str(getattr(label, self._say.language))

    def _priority(self, key: str) -> str:
        word = self._say(f"priority.{key}")
        return word if key == "health" else f"{key} {word}"

    def _time(self, at: str | None) -> str:
        return at[5:19].replace("T", " ") if at else self._none

    @property
    def _none(self) -> str:
        return self._say("device.no_value")

    @property
    def _all(self) -> str:
        return self._say("kpi.all_streets")

    def _percent(self, value: float | None) -> str:
        return self._none if value is None else f"{100 * value:.1f} %"

    def _number(self, value: float | None, digits: int) -> str:
        return self._none if value is None else f"{value:,.{digits}f}"

    def _seconds(self, value: float | None) -> str:
        say = self._say
        if value is None:
            return self._none
        if value < 60:
            return say("kpi.seconds", s=f"{value:.0f}")
        return say("kpi.minutes", m=f"{value / 60:.1f}") if value < 3600 else say("kpi.hours", h=f"{value / 3600:.1f}")


def _cell(cell: object) -> str:
    return cell if isinstance(cell, Safe) else escape(str(cell))


def _percent(figure: str) -> Callable[[Document], float | None]:
    def value(row: Mapping[str, Any]) -> float | None:
        found: float | None = row[figure]["value"]
        return None if found is None else 100 * found

    return value


def _tonnes(row: Document) -> float | None:
    return float(row["tonnes"]) if row["lifts"] else None


def _minutes(row: Document) -> float | None:
    return None if row["median_s"] is None else row["median_s"] / 60
