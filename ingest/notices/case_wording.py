"""What a notice says about a case whose time runs out: what lets somebody act, Chinese first, then English."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from devices.site import Site
from ingest.cases.records import CaseRules

_MARKS = {"remind": "时限过半", "amber": "即将超期", "overdue": "已超期"}
_MARKS_EN = {"remind": "half of its time is over", "amber": "due soon", "overdue": "overdue"}


def case_wording(case: Mapping[str, Any], mark: str, key: str, site: Site, rules: CaseRules) -> tuple[str, str]:
    """Return title and body about a case that has passed a mark."""
    limit = rules.limits.classes.get(case["sub_class"])
    zh, en = (limit.label.zh, limit.label.en) if limit is not None else (case["sub_class"], case["sub_class"])
    street = site.streets.get(case["street"])
    unit = site.units.get(case["unit"])
    due = datetime.fromtimestamp(case["deadline_at"] / 1000, UTC).astimezone(site.timezone)
    drill = "【模拟】" if site.simulated else ""
    title = f"{drill}[案件 {_MARKS[mark]}] {zh}{f' · {street.label.zh}' if street else ''}"
    lines = [f"案件 {case['id']}", f"期限 {due:%Y-%m-%d %H:%M:%S%z}"]
    if unit is not None:
        lines.append(f"责任单位 {unit.label.zh} {unit.phone}".rstrip())
    place = f", {street.label.en}" if street else ""
    return title, "\n".join([*lines, f"Case {en}{place}: {_MARKS_EN[mark]}", f"编号 {key}"])
