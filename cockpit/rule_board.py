"""Rules for people: what is in force for whom and where it comes from, and the revisions with their back-tests."""

import threading
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from cockpit import trouble_words
from cockpit.fault_words import parted
from cockpit.rule_results import named
from cockpit.rule_words import in_each, numbers_of
from cockpit.times import rfc3339
from devices.catalog import Catalog
from devices.errors import Fault
from devices.kind import Field, Label, Limit
from devices.site import Site
from ingest.alarms.books import rule_of
from ingest.alarms.database import AlarmDatabase
from ingest.alarms.revisions import records
from ingest.alarms.revisions.revision import SITE_FILE, Revision
from ingest.alarms.rules import (
    BAD_DATA,
    CLOCK,
    EXPIRES,
    VERIFY_DUE,
    GroupRule,
    Rule,
    SilenceRule,
    rule_book,
    rule_label,
)
from ingest.errors import Refused

Document = dict[str, Any]
_SUMMARY = ("source", "records", "days", "rules")


class _Ruled:
    """A site under one revision, compiled once."""

    def __init__(self, site: Site, revision: Revision) -> None:
        self.number = revision.number
        self.faults: list[Fault] = []
        self.site = revision.over(site, self.faults)
        self.book = rule_book(self.site)


class RuleBoard:
    """Reads rules and revisions; every call blocks, so the event loop makes them in a thread."""

    def __init__(self, database: AlarmDatabase, site: Site) -> None:
        """Prepare; nothing is read yet."""
        self._database = database
        self._site = site
        self._own = rule_book(site)
        self._ruled = _Ruled(site, SITE_FILE)
        self._lock = threading.Lock()

    def ruled(self, revision: Revision) -> _Ruled:
        """Return the site under a revision."""
        with self._lock:
            if self._ruled.number != revision.number:
                self._ruled = _Ruled(self._site, revision)
            return self._ruled

    def in_force(self, now_ms: int, device: str | None = None, kind: str | None = None) -> Document:
        """Return the rules in force: all of them by scope, or for one device the one of each that counts for it."""
        with self._database.read() as connection:
            revision, next_ms = records.due(connection, now_ms)
            adopted = records.adoptions(connection).get(revision.number, [])
        ruled = self.ruled(revision)
        items = list(self._all(ruled) if device is None else self._of(ruled, device))
        return {
            "revision": revision.number,
            "next_at": rfc3339(next_ms, self._site.timezone),
            "adopted": [self._adoption(row) for row in adopted],
            "unfit": [str(fault) for fault in ruled.faults],
            "unfit_faults": parted(map(str, ruled.faults)),
            "items": [item for item in items if kind is None or item["kind"] == kind],
        }

    def point_names(self, kind: str, now_ms: int) -> set[str]:
        """Return the names of the alarm points of a kind's devices; one of a passage is no point before it happens."""
        with self._database.read() as connection:
            ruled = self.ruled(records.due(connection, now_ms)[0])
        return {
            rule_id.removeprefix(f"{kind}.")
            for rule_id, rule in ruled.book.by_id.items()
            if rule.kind == kind
            and not isinstance(rule, GroupRule)
            and not (isinstance(rule, Rule) and rule.limit.passage)
        } | ({CLOCK, BAD_DATA, EXPIRES, VERIFY_DUE} if kind in ruled.site.catalog.kinds else set())

    def limits(self, device: str, kind: str, field: Field, now_ms: int) -> list[Limit]:
        """Return the limits of a field that counted for a device at an instant and are lines across its curve."""
        with self._database.read() as connection:
            book = self.ruled(records.due(connection, now_ms)[0]).book
        rules = (rule_of(book, device, f"{kind}.{field.key}.{limit.key}") for limit in field.limits)
        return [rule.limit for rule in rules if isinstance(rule, Rule) and rule.limit.of_values]

    def revisions(self, now_ms: int) -> list[Document]:
        """Return all revisions, the newest first, each with the figures of its newest back-test."""
        with self._database.read() as connection:
            in_force = records.due(connection, now_ms)[0].number
            adopted = records.adoptions(connection)
            tests: dict[int, list[Document]] = {}
            for row in records.backtests(connection):
                tests.setdefault(row["revision"], []).append(row)
            return [
                self._document(connection, row, in_force, adopted, tests.get(row["number"], []), now_ms, whole=False)
                for row in records.rows(connection)
            ]

    def revision(self, number: int, now_ms: int) -> Document:
        """Return one revision with the whole result of its newest back-test.

        Raises:
            Refused: not_found.
        """
        with self._database.read() as connection:
            row = records.row_of(connection, number)
            tests = records.backtests(connection, number)
            in_force = records.due(connection, now_ms)[0].number
            return self._document(connection, row, in_force, records.adoptions(connection), tests, now_ms, whole=True)

    def _document(
        self,
        connection: Any,
        row: Document,
        in_force: int,
        adopted: Mapping[int, list[Document]],
        tests: list[Document],
        now_ms: int,
        whole: bool,
    ) -> Document:
        unfit, unfit_faults, exact = "", [], None
        if row["sequence"] is None and row["discarded_at"] is None:
            try:
                base, made = records.drafted(connection, row, self._site)
                exact = (base.number, made.digest)
            except Refused as error:
                unfit, unfit_faults = str(error), parted(error.values.get("faults", []))
        fitting = [each for each in tests if each["state"] == "done" and (each["base"], each["digest"]) == exact]
        zone = self._site.timezone
        names = ("number", "author", "author_role", "reason", "source", "edition", "grade", "restores", "approved_by")
        times = ("created_at", "approved_at", "effective_at", "discarded_at")
        return {
            **{name: row[name] for name in (*names, "approved_role", "discarded_by")},
            **{name: rfc3339(row[name], zone) for name in times},
            "state": records.state_of(row, in_force, bool(fitting), now_ms),
            "unfit": unfit,
            "unfit_faults": unfit_faults,
            "changes": msgspec.to_builtins(records.change_of(row)),
            "adopted": [self._adoption(each) for each in adopted.get(row["number"], [])],
            "backtest": self._backtest(tests[0], exact, now_ms, whole) if tests else None,
        }

    def _backtest(self, row: Document, exact: tuple[int, str] | None, now_ms: int, whole: bool) -> Document:
        zone = self._site.timezone
        running = records.running(row, now_ms)
        state = "ended" if row["state"] in ("waiting", "running") and not running else row["state"]
        kept = None if row["result"] is None else msgspec.json.decode(row["result"])
        result, problem = kept, None
        if row["state"] == "failed":
            result, problem = None, kept or trouble_words.parted(row["sentence"])
        if problem is not None:
            problem["faults"] = parted(problem["values"].pop("faults", []))
        if result is not None and not whole:
            result = {
                **{key: result.get(key) for key in _SUMMARY},
                **{key: {"count": result[key]["count"]} for key in ("vanish", "appear", "moved")},
                **{
                    side: {key: result[side][key] for key in ("activations", "per_day")} for side in ("before", "after")
                },
                "verdicts": {key: value for key, value in result["verdicts"].items() if key != "missed_items"},
            }
        return {
            **{key: row[key] for key in ("id", "base", "asked_by", "done", "total", "sentence")},
            **{key: rfc3339(row[key], zone) for key in ("asked_at", "finished_at")},
            "from": rfc3339(row["from_ms"], zone),
            "to": rfc3339(row["to_ms"], zone),
            "state": state,
            "problem": problem,
            "exact": exact is not None and (row["base"], row["digest"]) == exact,
            "result": named(result, self._site) if whole and result is not None else result,
        }

    def _adoption(self, row: Document) -> Document:
        return {"shard": row["shard"], "position": row["position"], "at": rfc3339(row["at"], self._site.timezone)}

    def _all(self, ruled: _Ruled) -> Iterator[Document]:
        for rule_id, rule in ruled.book.by_id.items():
            if rule.kind in ruled.site.catalog.kinds:
                yield self._item(rule_id, rule, "kind", rule.kind, ruled.site.catalog, self._own.by_id.get(rule_id))
        seen = set()
        for device, rules in (ruled.book.own or {}).items():
            for rule_id, rule in rules.items():
                scope, name = self._scope(rule, device)
                if (rule_id, scope, name) not in seen:
                    seen.add((rule_id, scope, name))
                    own = rule_of(self._own, device, rule_id)
                    yield self._item(rule_id, rule, scope, name, ruled.site.catalog, own)
        for (rule_id, group), group_rule in ruled.book.own_groups.items():
            scope, _, name = group.partition(":")
            yield self._item(rule_id, group_rule, scope, name, ruled.site.catalog, rule_of(self._own, group, rule_id))

    def _of(self, ruled: _Ruled, device: str) -> Iterator[Document]:
        found = self._site.devices.get(device)
        if found is None:
            raise Refused(
                "not_found",
                f"The site lists no device {device!r}; its kind's rules count for it.",
                code="unlisted_device",
                values={"device": device},
            )
        for rule_id, usual in ruled.book.by_id.items():
            if usual.kind != found.kind or isinstance(usual, GroupRule):
                continue
            rule = rule_of(ruled.book, device, rule_id) or usual
            scope, name = self._scope(rule, device)
            own = rule_of(self._own, device, rule_id)
            item = self._item(rule_id, rule, scope, name, ruled.site.catalog, own)
            item["instead_of"] = usual.version if rule.version != usual.version else None
            yield item

    def _scope(self, rule: Rule | SilenceRule | GroupRule, device: str) -> tuple[str, str]:
        scope = rule.version.partition("@")[2] or "kind"
        found = self._site.devices[device]
        names = {"kind": rule.kind, "device": device, "circuit": found.circuit, "street": found.street}
        return scope, names[scope]

    def _item(
        self,
        rule_id: str,
        rule: Rule | SilenceRule | GroupRule,
        scope: str,
        name: str,
        catalog: Catalog,
        own: Rule | SilenceRule | GroupRule | None,
    ) -> Document:
        label, kind = rule_label(rule_id, catalog), catalog.kinds[rule.kind]
        changed = own is None or own.version != rule.version
        return {
            "rule": rule_id,
            "version": rule.version,
            "kind": rule.kind,
            "kind_name": {"zh": kind.zh, "en": kind.en},
            "name": in_each(label),
            "scope": scope,
            "of": name,
            "of_name": self._of_name(scope, name),
            "revised": changed,
            **numbers_of(rule, kind),
            "site_file": numbers_of(own, kind) if changed and own is not None else None,
        }

    def _of_name(self, scope: str, name: str) -> Document | None:
        label: Label | None = None
        if scope == "street" and name in self._site.streets:
            label = self._site.streets[name].label
        elif scope == "device" and name in self._site.devices:
            label = self._site.devices[name].label
        return None if label is None else {"zh": label.zh, "en": label.en}
