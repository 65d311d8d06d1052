"""What a notice says: the least that lets somebody act, Chinese first, then English."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from devices.site import Site
from ingest.alarms.own_kind import KIND as OWN_KIND
from ingest.alarms.rules import rule_label
from ingest.contacts import Contacts, Directory

_PRIORITIES = {"P1": "紧急", "P2": "重要", "P3": "一般", "P4": "提示", "health": "设备健康"}
_STEPS = ("", "升级：再次呼叫值班员", "升级：呼叫带班长", "升级：呼叫指挥长")
_STEPS_EN = ("", "escalated to the second officer", "escalated to the leader", "escalated to the director")


def wording(alarm: Mapping[str, Any], step: int, key: str, site: Site, directory: Directory) -> tuple[str, str]:
    """Return title and body about an occurrence, as it is now, for one step of its ladder."""
    device = site.devices.get(alarm["device"])
    label = rule_label(alarm["rule"], site.catalog)
    name = device.label if device is not None and device.label is not None else None
    drill = "【模拟】" if site.simulated else ""
    priority = alarm["priority"]
    zh_name, en_name = (name.zh, name.en) if name is not None else (alarm["device"], alarm["device"])
    title = f"{drill}[{priority} {_PRIORITIES.get(priority, priority)}] {label.zh} · {zh_name}"
    at = datetime.fromtimestamp(alarm["raised_at"] / 1000, UTC).astimezone(site.timezone)
    unit_word = "" if alarm["unit"] == "1" else f" {alarm['unit']}"
    value = "" if alarm["value"] is None else f" {alarm['value']:g}{unit_word}"
    lines = [f"{label.zh}{value}", f"时间 {at:%Y-%m-%d %H:%M:%S%z}"]
    english = f"{label.en}{value}, {en_name}"
    if device is None:
        # A collector, a circuit or a street is no device that a site could list.
        listed = alarm["kind"] == OWN_KIND or ":" in alarm["device"]
        lines.append(f"设备 {alarm['device']}{'' if listed else '（未登记）'}")
    else:
        street = site.streets.get(device.street)
        where = (alarm["device"], street.label.zh if street else "", f"网格 {device.grid}" if device.grid else "")
        lines.append(f"设备 {' · '.join(part for part in where if part)}")
        english += f", {street.label.en}" if street else ""
        lines += _contacts(directory.of_device(device.id))
    if step:
        lines.append(_step(_STEPS, step))
        english += f", {_step(_STEPS_EN, step)}"
    return title, "\n".join([*lines, english, f"编号 {key}"])


def _contacts(contacts: Contacts) -> Iterator[str]:
    if contacts.unit is not None:
        yield f"责任单位 {contacts.unit.label.zh} {contacts.unit.phone}".rstrip()
    if contacts.officer is not None:
        yield f"网格员 {contacts.officer.label.zh} {contacts.officer.phone}"
    if contacts.camera_id:
        name = f" {contacts.camera.label.zh}" if contacts.camera is not None else ""
        away = f"（{contacts.camera_m:.0f} 米）" if contacts.camera_m is not None else ""
        yield f"附近监控 {contacts.camera_id}{name}{away}"


def _step(words: tuple[str, ...], step: int) -> str:
    return words[min(step, len(words) - 1)]
