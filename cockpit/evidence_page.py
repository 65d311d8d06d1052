"""An evidence pack as one HTML document that needs nothing else: no scripts, no requests, plots as SVG in it."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from cockpit.evidence_curves import Curves
from cockpit.evidence_words import Words
from cockpit.texts import LANGUAGES, Texts
from devices.site import Site
from ingest.alarms.states import row_state
from ingest.evidence.files import MESSAGES
from ingest.evidence.gathered import Evidence, Row, RuleVersion

_STATIC = Path(__file__).parent / "static"
_STYLES = ("report.css", "pack.css")
_MESSAGES = 40
_PAYLOAD = 600
Cells = Sequence[object]


class Safe(str):
    """Text that is markup already."""

    __slots__ = ()


def page_name(language: str) -> str:
    """Return the name of the page in a language."""
    return f"evidence.{language}.html"


class EvidencePage:
    """Writes the evidence in one language."""

    def __init__(self, site: Site, say: Texts) -> None:
        self._site = site
        self._say = say
        self._words = Words(site, say)

    def html(self, evidence: Evidence, files: Mapping[str, Mapping[str, Any]]) -> str:
        """Return the document; ``files`` are the digests of the others in the pack."""
        say, words, alarm = self._say, self._words, evidence.alarm
        title = f"{words.named(self._site.label)} · {say('pack.title')} · {words.rule(alarm['rule'])}"
        made = say("pack.made", at=words.time(evidence.made_ms), zone=self._site.timezone.key, id=alarm["id"])
        span = say("pack.span", from_at=words.time(evidence.span.from_ms), to_at=words.time(evidence.span.to_ms - 1))
        mark = f'<p class="mark">{escape(say("shell.simulated"))}</p>' if self._site.simulated else ""
        style = "".join((_STATIC / name).read_text(encoding="utf-8") for name in _STYLES)
        others = "".join(
            f'<a href="{page_name(each)}">{escape(say("shell.other_language"))}</a>'
            for each in LANGUAGES
            if each != say.language
        )
        body = "".join(
            (
                self._facts(evidence), self._gone(evidence), Curves(self._site, say).section(evidence),
                self._rules(evidence.rules), self._acts(evidence.acts), self._case(evidence),
                self._notices(evidence), self._messages(evidence), self._proof(evidence, files),
            )
        )  # fmt: skip
        return (
            f'<!DOCTYPE html>\n<html lang="{"zh-CN" if say.language == "zh" else "en"}"><head><meta charset="utf-8">'
            f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{escape(title)}</title>'
            f"<style>{style}</style></head><body><nav>{others}<span>{escape(say('report.print'))}</span></nav>"
            f"<main><header><h1>{escape(title)}</h1>{mark}<p class=quiet>{escape(made)}</p>"
            f"<p class=quiet>{escape(span)}</p></header>{body}</main></body></html>\n"
        )

    def _facts(self, evidence: Evidence) -> str:
        say, words, alarm = self._say, self._words, evidence.alarm
        acked = say("pack.not_yet")
        if alarm["acked_at"] is not None:
            took = words.seconds((alarm["acked_at"] - alarm["raised_at"]) / 1000)
            acked = say("pack.acked_by", at=words.time(alarm["acked_at"]), by=alarm["acked_by"] or "", took=took)
        verdict = [words.choice(alarm["verdict"]), words.time(alarm["verdict_at"]), alarm["verdict_by"] or ""]
        hidden = [
            words.suppression(alarm["suppression"]),
            alarm["suppressed_by"] or "",
            alarm["suppressed_reason"] or "",
        ]
        rows = (
            ("facts", f"{words.priority(alarm['priority'])} · {words.rule(alarm['rule'])}"),
            ("device", words.device(alarm["device"])),
            ("place", words.place(alarm["device"])),
            ("state", words.state(row_state(alarm))),
            ("value", words.reading(self._site.catalog.kinds.get(alarm["kind"]), alarm["field"], alarm)),
            ("level", f"{alarm['level_now']} / {alarm['level_peak']}"),
            ("raised", words.time(alarm["raised_at"])),
            ("noticed", words.time(alarm["noticed_at"])),
            ("acked", acked),
            ("returned", words.time(alarm["returned_at"]) or say("pack.not_yet")),
            ("closed", words.time(alarm["closed_at"]) or say("pack.not_yet")),
            ("activations", str(alarm["activations"])),
            ("decision", words.choice(alarm["decision"])),
            ("verdict", " · ".join(filter(None, verdict)) if alarm["verdict"] else ""),
            ("hidden", " · ".join(filter(None, hidden)) if alarm["suppression"] != "none" else ""),
        )
        made = "".join(f"<dt>{escape(say(f'pack.{key}'))}</dt><dd>{escape(found)}</dd>" for key, found in rows if found)
        return self._section("facts", f"<dl class=facts>{made}</dl>")

    def _gone(self, evidence: Evidence) -> str:
        say, words = self._say, self._words
        found = [
            say(f"pack.gone_{each.word}", **{key: words.timed(key, value) for key, value in each.values.items()})
            for each in evidence.gone
        ]
        found += [
            say("pack.gone_rule", rule=rule.rule, version=rule.version)
            for rule in evidence.rules
            if rule.numbers is None
        ]
        if not found:
            return ""
        lines = "".join(f"<li>{escape(each)}</li>" for each in found)
        return f'<div class="missing"><h3>{escape(say("pack.gone"))}</h3><ul>{lines}</ul></div>'

    def _rules(self, rules: Sequence[RuleVersion]) -> str:
        say = self._say
        head = [say(f"pack.{key}") for key in ("rule", "version", "since", "levels", "delays", "source")]
        return self._section("rules", self._table(head, [self._rule(rule) for rule in rules]))

    def _rule(self, rule: RuleVersion) -> Cells:
        say, words, numbers = self._say, self._words, rule.numbers
        name = f"{words.rule(rule.rule)} {rule.rule}"
        if not numbers:
            told = say("pack.unknown") if numbers is None else say("pack.everywhere")
            return name, rule.version, told, "", "", ""
        since = say("pack.site_file")
        if rule.revision:
            since = say(
                "pack.revision", number=rule.revision, author=rule.author, approved_by=rule.approved_by,
                at=words.time(rule.effective_at), reason=rule.reason,
            )  # fmt: skip
        levels = ", ".join(words.level(each, numbers) for each in numbers["levels"])
        unit = words.unit(numbers["unit"])
        delays = f"{numbers['deadband']:g} {unit} / {numbers['on_s']:g} s / {numbers['off_s']:g} s"
        if numbers["latch"]:
            delays += f" · {say('pack.latched')}"
        told = numbers["source"]
        # A pack of before there was a text in each language has one in both.
        named = told[say.language] if isinstance(told, dict) else told
        source = f"{named} · {say('alarm.grade', grade=numbers['grade'])}"
        return name, rule.version, since, levels, delays, source + (f" · {rule.edition}" if rule.edition else "")

    def _acts(self, rows: Sequence[Row]) -> str:
        return self._section("acts", self._act_table(rows))

    def _act_table(self, rows: Sequence[Row]) -> str:
        say, words = self._say, self._words
        head = [say(f"pack.{key}") for key in ("at", "actor", "act", "change", "level_then", "value", "why")]
        found = [
            (
                words.stamp(row["at"]), words.person(row["actor"], row["role"]), words.act_of(row), words.change(row),
                "" if row["level"] is None else row["level"], words.value(row["value"], row["unit"]),
                " · ".join(filter(None, (words.choice(row["reason"]), row["comment"]))),
            )
            for row in rows
        ]  # fmt: skip
        return self._table(head, found)

    def _case(self, evidence: Evidence) -> str:
        say, words, case = self._say, self._words, evidence.case
        if case is None:
            return self._section("case", f"<p class=quiet>{escape(say('pack.no_case'))}</p>")
        title = say(
            "pack.case_of",
            id=case["id"],
            name=words.sub_class(case["sub_class"]),
            state=words.case_state(case["state"]),
        )
        pictures = ""
        if evidence.case_pictures:
            head = [say(f"pack.{key}") for key in ("at", "actor", "act", "file")]
            rows = [
                (words.stamp(each["at"]), each["by"], words.case_act(each["act"]), each["reference"])
                for each in evidence.case_pictures
            ]
            pictures = f"<h3>{escape(say('pack.pictures'))}</h3>{self._table(head, rows)}"
        about = f"<p>{escape(title)}</p><p>{escape(case['description'])}</p>"
        # What was done about the alarm itself stands above.
        acts = self._act_table([row for row in evidence.case_acts if row["occurrence"] != evidence.alarm["id"]])
        return self._section("case", about + acts + pictures)

    def _notices(self, evidence: Evidence) -> str:
        say, words = self._say, self._words
        if not evidence.announcements:
            known = all(each.word != "notices" for each in evidence.gone)
            none = say("pack.no_notices" if known else "pack.unknown")
            return self._section("notices", f"<p class=quiet>{escape(none)}</p>")
        by_announcement: dict[str, list[Row]] = {}
        for each in evidence.deliveries:
            by_announcement.setdefault(each["announcement"], []).append(each)
        head = [say(f"pack.{key}") for key in ("announced", "act", "step", "channel", "sent")]
        rows: list[Cells] = []
        for told in evidence.announcements:
            for each in by_announcement.get(told["id"], [{}]):
                sent = words.time(each.get("sent_at"))
                if not sent and each:
                    state = say("pack.waiting" if each["dead_at"] is None else "pack.dead")
                    sent = " · ".join(filter(None, (state, each["trouble"])))
                rows.append(
                    (words.stamp(told["at"]), words.act(told["why"]), told["step"], each.get("channel", ""), sent)
                )
        return self._section("notices", self._table(head, rows))

    def _messages(self, evidence: Evidence) -> str:
        say, words, records = self._say, self._words, evidence.raw.records
        if not records:
            return ""
        raised_ms = evidence.alarm["noticed_at"]
        shown = sorted(
            sorted(records, key=lambda each: abs(each[1].received_ms - raised_ms))[:_MESSAGES],
            key=lambda each: (each[1].received_ms, each[0], each[1].position),
        )
        told = say("pack.messages_shown", count=len(records), shown=len(shown), file=MESSAGES)
        head = [say(f"pack.{key}") for key in ("at", "topic", "payload")]
        rows = [(words.stamp(each.received_ms), _fixed(each.topic), self._payload(each.payload)) for _, each in shown]
        return self._section("messages", f"<p class=quiet>{escape(told)}</p>{self._table(head, rows)}")

    def _payload(self, payload: bytes) -> str:
        try:
            text = payload.decode()
        except UnicodeDecodeError:
            return self._say("pack.bytes", count=len(payload))
        return _fixed(text if len(text) <= _PAYLOAD else f"{text[:_PAYLOAD]} …")

    def _proof(self, evidence: Evidence, files: Mapping[str, Mapping[str, Any]]) -> str:
        say, words = self._say, self._words
        head = [say(f"pack.{key}") for key in ("sequence", "at", "act", "previous", "hash")]
        rows = [
            (row["seq"], words.stamp(row["at"]), row["action"], _fixed(row["prev_hash"][:16]), _fixed(row["hash"]))
            for row in evidence.chain
        ]
        listed = [(name, each["bytes"], _fixed(each["sha256"])) for name, each in sorted(files.items())]
        names = [say(f"pack.{key}") for key in ("file", "size", "hash")]
        return self._section(
            "proof",
            f"<p>{escape(say('pack.proof_how'))}</p>"
            f"<p>{escape(say('pack.head', seq=evidence.head[0], hash=evidence.head[1]))}</p>",
            self._table(head, rows),
            f"<h3>{escape(say('pack.files'))}</h3>",
            self._table(names, listed),
        )

    def _section(self, key: str, *parts: str) -> str:
        return f'<section id="{key}"><h2>{escape(self._say(f"pack.{key}"))}</h2>{"".join(parts)}</section>'

    def _table(self, head: Iterable[str], rows: Sequence[Cells]) -> str:
        if not rows:
            return f"<p class=quiet>{escape(self._say('report.none'))}</p>"
        titles = "".join(f"<th scope=col>{escape(each)}</th>" for each in head)
        body = "".join(f"<tr>{''.join(f'<td>{_cell(each)}</td>' for each in row)}</tr>" for row in rows)
        return f"<table><thead><tr>{titles}</tr></thead><tbody>{body}</tbody></table>"


def _fixed(text: str) -> Safe:
    return Safe(f'<span class="payload">{escape(text)}</span>')


def _cell(cell: object) -> str:
    return cell if isinstance(cell, Safe) else escape(str(cell))
