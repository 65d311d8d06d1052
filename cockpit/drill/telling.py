"""The report on an exercise as the API tells it: with the names of rules and devices, and instants of the site."""

from typing import Any

import msgspec

from cockpit.times import rfc3339
from devices.groups import gathered
from devices.site import Site
from ingest.alarms.rules import rule_label
from ingest.cases.records import CaseRules
from ingest.drills.report import Report

Document = dict[str, Any]
_TIMES = ("raised_at", "acked_at", "at", "opened_at", "closed_at")


def report_document(site: Site, kept: str) -> Document:
    """Return a report that was kept."""
    report = msgspec.json.decode(kept, type=Report)
    places = {**site.devices, **gathered(site)}
    classes = CaseRules(site).limits.classes

    def timed(line: msgspec.Struct) -> Document:
        told: Document = msgspec.to_builtins(line)
        return {key: rfc3339(value, site.timezone) if key in _TIMES else value for key, value in told.items()}

    alarms = []
    for line in report.alarms:
        label, device = rule_label(line.rule, site.catalog), places.get(line.device)
        named = {"zh": device.label.zh, "en": device.label.en} if device is not None and device.label else None
        alarms.append({**timed(line), "rule_name": {"zh": label.zh, "en": label.en}, "device_name": named})
    cases = []
    for case in report.cases:
        kind = classes.get(case.sub_class)
        names = {"zh": kind.label.zh, "en": kind.label.en} if kind is not None else None
        cases.append({**timed(case), "name": names})
    return {
        "from": rfc3339(report.from_at, site.timezone),
        "to": rfc3339(report.to_at, site.timezone),
        "alarms": alarms,
        "calls": [timed(call) for call in report.calls],
        "cases": cases,
        "officers": [msgspec.to_builtins(each) for each in report.officers],
        "score": {"points": report.points, "parts": [msgspec.to_builtins(part) for part in report.parts]},
        "never_acked": report.never_acked,
    }
