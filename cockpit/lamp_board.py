"""Lamps for people: what was ordered, what came of it, and what the poles say of themselves, side by side."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from cockpit.city import City
from cockpit.times import rfc3339
from devices.groups import gathered
from devices.site import Site
from ingest.alarms.database import AlarmDatabase
from ingest.commands.orders import KIND, Lamp, leaking
from ingest.commands.standing import Reading, Standing, standing
from ingest.commands.tables import lamp_command, lamp_order

Document = dict[str, Any]
# A schedule changes twice a day at least: an older command stands no more.
_LOOK_BACK_MS = 48 * 3_600_000
_ORDER = (
    "id",
    "scope",
    "subject",
    "dim_pct",
    "for_s",
    "reason",
    "lamps",
    "asked_by",
    "asked_role",
    "settled_by",
    "state",
)
_ORDER_TIMES = ("asked_at", "expires_at", "settled_at", "until")
_COMMAND = ("id", "order", "device", "dim_pct", "state", "accepted", "answer")
_COMMAND_TIMES = ("made_at", "expires_at", "sent_at", "answered_at", "settled_at", "obeyed_at", "until")


@dataclass(frozen=True, slots=True)
class _Now:
    """One lamp now."""

    lamp: Lamp
    online: bool
    reading: Reading
    command: Mapping[str, Any] | None
    standing: Standing


class LampBoard:
    """Reads orders and commands beside the city as it is; calls that read the database block."""

    def __init__(self, database: AlarmDatabase, site: Site, city: City) -> None:
        self._database = database
        self._site = site
        self._city = city
        self._period_ms = site.catalog.kinds[KIND].period_s * 1000 if KIND in site.catalog.kinds else 0
        self.lamps = {
            device.id: Lamp(device.id, device.district, device.circuit)
            for device in site.devices.values()
            if device.kind == KIND and (not device.fitted or KIND in device.fitted)
        }
        self._circuits: dict[str, list[Lamp]] = {}
        for lamp in self.lamps.values():
            if lamp.circuit:
                self._circuits.setdefault(lamp.circuit, []).append(lamp)
        self._places = gathered(site)

    def of_circuit(self, circuit: str) -> Sequence[Lamp]:
        """Return the lamps of a circuit; none for one that there is not."""
        return self._circuits.get(circuit, ())

    def reading(self, device: str) -> Reading:
        """Return what a pole last said of itself."""
        now = self._city.devices.get(device)
        found = now.latest if now is not None else {}
        dim, cmd = found.get("dim_pct"), found.get("cmd_pct")
        return Reading(
            float(dim[0]) if dim and not isinstance(dim[0], str) else None,
            dim[1] if dim else 0,
            float(cmd[0]) if cmd and not isinstance(cmd[0], str) else None,
            cmd[1] if cmd else 0,
        )

    def lamp(self, device: str, now_ms: int) -> Document:
        """Return one lamp: its reading, the command that stands, and whether it leaks.

        Raises:
            KeyError: there is none.
        """
        lamp = self.lamps[device]
        with self._database.read() as connection:
            now = self._now(connection, [lamp], now_ms)[0]
            leaks = leaking(connection, [device], [lamp.circuit] if lamp.circuit else [])
            orders = self._orders(connection, [now.command["order"]] if now.command else [])
            asked = self._asked(connection)
        return {
            **self._lamp_document(now),
            "leaking": leaks,
            "order": orders[0] if orders else None,
            "request": asked.get(lamp.circuit),
        }

    def circuit(self, circuit: str, now_ms: int) -> Document:
        """Return one circuit with each of its lamps.

        Raises:
            KeyError: there is none.
        """
        lamps = self._circuits[circuit]
        with self._database.read() as connection:
            now = self._now(connection, lamps, now_ms)
            found = self._circuit_document(circuit, now, self._leaks(connection), self._asked(connection))
        return {**found, "items": [self._lamp_document(each) for each in now]}

    def circuits(self, now_ms: int) -> list[Document]:
        """Return every circuit with its lamps counted."""
        with self._database.read() as connection:
            now: dict[str, list[_Now]] = {}
            for each in self._now(connection, [lamp for found in self._circuits.values() for lamp in found], now_ms):
                now.setdefault(each.lamp.circuit, []).append(each)
            leaks, asked = self._leaks(connection), self._asked(connection)
        return [self._circuit_document(name, now[name], leaks, asked) for name in sorted(now)]

    def found(self, text: str, limit: int) -> list[Document]:
        """Return lamps whose number contains a text, in whatever case; the shortest numbers first."""
        wanted = text.casefold()
        fitting = sorted((name for name in self.lamps if wanted in name.casefold()), key=lambda name: (len(name), name))
        return [
            {"device": name, "circuit": self.lamps[name].circuit or None, "street": self._site.devices[name].street}
            for name in fitting[:limit]
        ]

    def orders(self, state: str, subject: str | None, limit: int, offset: int) -> list[Document]:
        """Return orders, the newest first: those of a state, or ``all``; of a lamp also those of its circuit."""
        query = sa.select(lamp_order.c.id).order_by(lamp_order.c.asked_at.desc(), lamp_order.c.id)
        if state != "all":
            query = query.where(lamp_order.c.state == state)
        if subject is not None:
            of_it = sa.select(lamp_command.c.order).where(lamp_command.c.device == subject)
            query = query.where(sa.or_(lamp_order.c.subject == subject, lamp_order.c.id.in_(of_it)))
        with self._database.read() as connection:
            names = list(connection.execute(query.limit(limit).offset(offset)).scalars())
            return self._orders(connection, names)

    def order(self, identifier: str) -> Document | None:
        """Return one order with the command to each lamp."""
        query = sa.select(lamp_command).where(lamp_command.c.order == identifier).order_by(lamp_command.c.device)
        with self._database.read() as connection:
            found = self._orders(connection, [identifier])
            commands = connection.execute(query).mappings().all()
        if not found:
            return None
        return {**found[0], "commands": [self._command_document(row) for row in commands]}

    def _now(self, connection: sa.Connection, lamps: Sequence[Lamp], now_ms: int) -> list[_Now]:
        commands = _newest(connection, now_ms - _LOOK_BACK_MS)
        found = []
        for lamp in lamps:
            now, command = self._city.devices.get(lamp.device), commands.get(lamp.device)
            reading = self.reading(lamp.device)
            stands = standing(command, reading, now_ms, self._period_ms)
            found.append(_Now(lamp, now is not None and now.online, reading, command, stands))
        return found

    def _leaks(self, connection: sa.Connection) -> set[str]:
        return set(leaking(connection, self.lamps, self._circuits))

    def _asked(self, connection: sa.Connection) -> dict[str, Document]:
        query = sa.select(lamp_order.c.id).where(lamp_order.c.state == "asked")
        names = list(connection.execute(query).scalars())
        return {found["subject"]: found for found in self._orders(connection, names)}

    def _orders(self, connection: sa.Connection, names: Sequence[str]) -> list[Document]:
        if not names:
            return []
        query = sa.select(lamp_order).where(lamp_order.c.id.in_(names))
        rows = connection.execute(query.order_by(lamp_order.c.asked_at.desc(), lamp_order.c.id)).mappings().all()
        late = sa.and_(lamp_command.c.state == "timed_out", lamp_command.c.answered_at.is_not(None))
        state = sa.case((late, "late"), else_=lamp_command.c.state)
        counted = sa.select(lamp_command.c.order, state, sa.func.count()).where(lamp_command.c.order.in_(names))
        counts: dict[str, dict[str, int]] = {}
        for name, word, count in connection.execute(counted.group_by(lamp_command.c.order, state)):
            counts.setdefault(name, {})[word] = int(count)
        return [self._order_document(row, counts.get(row["id"], {})) for row in rows]

    def _order_document(self, row: Mapping[Any, Any], counts: dict[str, int]) -> Document:
        return {**{key: row[key] for key in _ORDER}, **self._times(row, _ORDER_TIMES), "commands_by_state": counts}

    def _command_document(self, row: Mapping[Any, Any]) -> Document:
        return {**{key: row[key] for key in _COMMAND}, **self._times(row, _COMMAND_TIMES)}

    def _times(self, row: Mapping[Any, Any], keys: Iterable[str]) -> Document:
        return {key: rfc3339(row[key], self._site.timezone) for key in keys}

    def _lamp_document(self, now: _Now) -> Document:
        zone = self._site.timezone
        return {
            "device": now.lamp.device,
            "circuit": now.lamp.circuit or None,
            "street": self._site.devices[now.lamp.device].street,
            "online": now.online,
            "dim_pct": now.reading.dim_pct,
            "dim_at": rfc3339(now.reading.dim_at or None, zone),
            "cmd_pct": now.reading.cmd_pct,
            "cmd_at": rfc3339(now.reading.cmd_at or None, zone),
            "standing": now.standing,
            "command": None if now.command is None else self._command_document(now.command),
        }

    def _circuit_document(
        self, name: str, now: Sequence[_Now], leaks: set[str], asked: Mapping[str, Document]
    ) -> Document:
        place = self._places[f"circuit:{name}"]
        heard = [each.reading for each in now if each.reading.dim_pct is not None]
        stands = Counter(each.standing for each in now)
        commanded = [each for each in now if each.standing in ("waiting", "following", "obeyed", "not_obeyed")]
        wanted = {each.command["dim_pct"] for each in commanded if each.command is not None}
        own = sorted(leaks.intersection({f"circuit:{name}", *(each.lamp.device for each in now)}))
        return {
            "id": name,
            "name": {"zh": place.label.zh, "en": place.label.en} if place.label else None,
            "district": place.district,
            "street": place.street,
            "lamps": len(now),
            "online": sum(each.online for each in now),
            "lit": sum((each.reading.dim_pct or 0) > 0 for each in now),
            "dim_pct": _mean(reading.dim_pct for reading in heard),
            "cmd_pct": _mean(reading.cmd_pct for reading in heard),
            "read_at": rfc3339(min((r.dim_at for r in heard), default=None), self._site.timezone),
            "commanded": len(commanded),
            "wanted_pct": wanted.pop() if len(wanted) == 1 else None,
            "standing": dict(stands),
            "waiting": stands["waiting"],
            "leaking": own,
            "request": asked.get(name),
        }


def _newest(connection: sa.Connection, since_ms: int) -> dict[str, Mapping[str, Any]]:
    """Return the newest command of every lamp that had one since an instant."""
    fresh = sa.and_(lamp_command.c.made_at >= since_ms, lamp_command.c.state != "overtaken")
    newest = sa.select(lamp_command.c.device, sa.func.max(lamp_command.c.made_at).label("made_at")).where(fresh)
    of = newest.group_by(lamp_command.c.device).subquery()
    same = sa.and_(lamp_command.c.device == of.c.device, lamp_command.c.made_at == of.c.made_at)
    query = sa.select(lamp_command).join(of, same).where(fresh)
    return {row["device"]: dict(row) for row in connection.execute(query).mappings()}


def _mean(values: Iterable[float | None]) -> float | None:
    found = [value for value in values if value is not None]
    return round(sum(found) / len(found), 1) if found else None
