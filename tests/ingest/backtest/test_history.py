"""A back-test on history is the back-test on the recording, for every plain rule that is shipped and on every store."""

from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from devices.catalog import load_catalog
from devices.readings import Quality, Reading
from devices.site import Site
from ingest.alarms.revisions import revision
from ingest.alarms.revisions.comparing import Comparison
from ingest.alarms.revisions.episodes import Episodes
from ingest.alarms.revisions.revision import SITE_FILE, Revision
from ingest.alarms.rules import Rule, kind_book
from ingest.backtest import figures
from ingest.backtest.columns import Samples
from ingest.backtest.history import judged
from ingest.backtest.plan import plan
from ingest.errors import Refused
from ingest.store import Store
from ingest.store.influx import InfluxStore
from ingest.store.sqlite import SqliteStore
from tests.ingest.alarms.rule_city import city
from tests.ingest.backtest.series import T0, followed, outcomes, readings
from tests.servers.influxdb import Influx

DAY_MS = 86_400_000
TO_MS = T0 + 30 * DAY_MS
DEVICES = {
    "gas_alarm": ("gas", "canteen"),
    "light_pole": ("pole", "quiet-pole"),
    "drone": ("drone",),
    "drone_dock": ("dock",),
    "refuse_truck": ("truck",),
    "bridge_wim": ("wim", "low-bridge"),
}
# Devices that are heard though the site does not list them.
NEW = tuple(f"new-{number}" for number in range(8))
GASES = [{"gas": "CH4"}, {"gas": "CO"}, {}]
RULES = {rule.id: rule for rules in kind_book(load_catalog()).by_measurement.values() for rule in rules}
# What one sample does not decide, and what the collector says of itself.
OTHERS = {
    "bridge_wim.gvw_kg.hundred_tonnes", "bridge_wim.over_pct.overload", "bridge_wim.over_posted_kg.posted",
    "drone.lat.fence", "drone.gnss_sats.few", "drone.pdop.poor",
    "light_pole.dim_pct.deviation", "light_pole.supply_a.current_low", "light_pole.supply_a.current_high",
    "light_pole.lamp_fail.fault",
    "refuse_truck.load_kg.tipping", "collector.disk_pct.full", "collector.watchdog.beat",
    "collector.store_lag_s.behind", "collector.recount_off.differs",
}  # fmt: skip
# Not the value itself is judged, but what becomes of many.
FOLLOWED = ["gas_alarm.conc_pct_lel.rate", "light_pole.noise_dba.high", "light_pole.pm25_ugm3.high"]
PLAIN = sorted(RULES.keys() - OTHERS - {*FOLLOWED})


@pytest.fixture(params=["sqlite", "influx"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    opened: Store
    if request.param == "sqlite":
        opened = SqliteStore(tmp_path / "readings.db", load_catalog())
    else:
        server: Influx = request.getfixturevalue("influx")
        opened = InfluxStore(f"{server.url}?org={server.org}&bucket={server.database}", load_catalog())
    yield opened
    opened.close()


def stricter(rule: Rule) -> Revision:
    """Return a revision that raises sooner and ends later, as even a capped rule may be changed."""
    limit = rule.limit
    factor = 1.25 if limit.sense == "below" else 0.8
    words: dict[str, Any] = {"off_s": 2 * limit.off_s + 5}
    if limit.sense != "state":
        words |= {"levels": [level.value * factor for level in limit.levels], "deadband": limit.deadband / 2}
        if limit.cap is None:
            words["on_s"] = limit.on_s + 15
    return Revision(1, {rule.kind: {rule.field: {limit.key: words}}})


def series(rule: Rule, site: Site, seed: int) -> list[Reading]:
    random = Random(f"{rule.id} {seed}")
    drafted = {r.id: r for r in _rules(stricter(rule).over(site))}[rule.id]
    tags = GASES if rule.kind == "gas_alarm" else [{}]
    _, measurement = site.catalog.measurements[rule.measurement]
    other = next(field.key for field in measurement.quantities if field.key != rule.field)
    # Half of the time around the levels of the draft.
    return [
        reading
        for device in (*DEVICES[rule.kind], *NEW)
        for reading in readings(random.choice([rule, drafted]), other, device, 150, random, tags)
    ]


def _rules(site: Site) -> Iterator[Rule]:
    for rules in kind_book(site.catalog).by_measurement.values():
        yield from rules


def shown(episodes: Episodes, rules: set[str]) -> list[tuple[Any, ...]]:
    return sorted(
        (e.point, e.begin_ms, e.noticed_ms, e.end_ms, e.level, e.priority, e.value, e.unit, e.hidden, e.device, e.kind)
        for some in episodes.by_point.values()
        for e in some
        if e.rule in rules
    )  # fmt: skip


def both(site: Site, store: Store, found: list[Reading], base: Revision, draft: Revision, seed: int) -> int:
    """Judge readings from a journal and from a store, compare both sides, and return how many alarms there were."""
    engines = Comparison(site, "main", base, draft)
    engines.feed(outcomes(found, Random(seed)))
    engines.finish()
    store.write(found, 1)
    result = judged(store, site, plan(site, base, draft), T0 - DAY_MS, TO_MS)
    rules = set(result.rules)
    assert rules | {*plan(site, base, draft).unfit} == engines.rules
    for side in ("before", "after"):
        assert shown(getattr(result, side), rules) == shown(getattr(engines, side), rules), side
    return result.alarms


def test_every_rule_is_either_plain_or_said_not_to_be() -> None:
    assert RULES.keys() >= OTHERS
    assert (len(PLAIN), len(FOLLOWED)) == (21, 3)


@pytest.mark.parametrize("rule_id", PLAIN)
def test_a_shipped_rule(rule_id: str, store: Store) -> None:
    site = city()
    rule = RULES[rule_id]
    assert both(site, store, series(rule, site, 1), SITE_FILE, stricter(rule), 1) > 3


@pytest.mark.parametrize("rule_id", FOLLOWED)
def test_means_and_slopes(rule_id: str, store: Store) -> None:
    """They are the engine's, with gaps, doubts, values nobody believes, and devices that speak too fast."""
    site, rule = city(), RULES[rule_id]
    _, measurement = site.catalog.measurements[rule.measurement]
    other = next(field.key for field in measurement.quantities if field.key != rule.field)
    random = Random(rule_id)
    found = [
        reading
        for device in (*DEVICES[rule.kind], *NEW[:3])
        for reading in followed(rule, other, device, 1_500, random)
    ]
    assert both(site, store, found, SITE_FILE, stricter(rule), 1) > 5


def test_whoever_rises_too_little_is_not_looked_at_closely(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reducer is not asked for a slope that comes near no level, and is for one that does."""
    asked: list[str] = []
    reduced = figures._reduced
    monkeypatch.setattr(figures, "_reduced", lambda *given: asked.append(given[3]) or reduced(*given))
    rule, at_ms = RULES["gas_alarm.conc_pct_lel.rate"], np.arange(T0, T0 + 600_000, 10_000)
    rises = {"slow": 4.999, "fast": 5.0, "falling": -9.0}
    samples = Samples(
        np.repeat(np.arange(3, dtype=np.int32), len(at_ms)), np.tile(at_ms, 3),
        np.concatenate([20 + rise * (at_ms - T0) / 60_000 for rise in rises.values()]),
        np.zeros(3 * len(at_ms), np.int16), np.zeros(3 * len(at_ms), np.bool_),
    )  # fmt: skip
    found = figures.figures([rule], samples, [*rises], city())
    assert asked == ["fast"]
    assert found.values == pytest.approx(5.0)


@pytest.mark.parametrize("drafted", [True, False])
def test_a_slope_that_only_one_side_raises_on(tmp_path: Path, drafted: bool) -> None:
    """Both sides judge the same figures, and whom one need not look at closely the other must."""
    site, rule = city(), RULES["gas_alarm.conc_pct_lel.rate"]
    (level,) = rule.limit.levels
    low = Revision(1, {rule.kind: {rule.field: {rule.limit.key: {"levels": [level.value / 2]}}}})
    found = [
        Reading(rule.kind, rule.measurement, "gas", "demo", at_ms * 1_000_000,
                {rule.field: (at_ms - T0) / 60_000 * level.value * 0.6}, {}, Quality.GOOD, {}, at_ms, 0)
        for at_ms in range(T0, T0 + 300_000, 10_000)
    ]  # fmt: skip
    opened = SqliteStore(tmp_path / "readings.db", site.catalog)
    base, draft = (SITE_FILE, low) if drafted else (low, Revision(2, {}))
    assert both(site, opened, found, base, draft, 1) == 1
    opened.close()


def test_what_history_cannot_judge_of_a_draft_is_left_out_and_named(store: Store) -> None:
    """The rest is judged as if it were all; the result says what is not."""
    site, rule = city(), RULES[next(each for each in PLAIN if each.startswith("drone."))]
    words = {"drone": {"pdop": {"poor": {"levels": [2.2]}}, **stricter(rule).limits["drone"]}}
    found = plan(site, SITE_FILE, Revision(1, words))
    assert (found.unfit, found.rules) == (("drone.pdop.poor",), {rule.id})
    assert both(site, store, series(rule, site, 1), SITE_FILE, Revision(1, words), 1) > 3


@pytest.mark.parametrize("rule_id", sorted(OTHERS - {each for each in OTHERS if each.startswith("collector")}))
def test_what_history_cannot_judge_is_named(rule_id: str) -> None:
    site = city()
    rule = RULES[rule_id]
    words: dict[str, Any] = {"levels": [level.value * 0.9 for level in rule.limit.levels]}
    if rule.limit.sense == "state":
        words = {"off_s": 500}
    draft = Revision(1, {rule.kind: {rule.field: {rule.limit.key: words}}})
    # The alarms of single lamps are counted by a rule on their circuit.
    named = rule_id.replace("lamp_fail.fault", "circuit_fault")
    with pytest.raises(Refused, match=f"{named}.*--source journal"):
        plan(site, SITE_FILE, draft)


def test_a_rule_of_one_device_reads_that_device_alone(store: Store) -> None:
    site = city()
    rule = RULES["refuse_truck.load_pct.full"]
    own = {"device": "truck", "kind": "refuse_truck", "field": "load_pct", "levels": [60], "hours": "09:00-21:00",
           "days": "mon-fri", "holidays": False}  # fmt: skip
    draft = revision.Revision(1, {}, [own])
    found = series(rule, site, 1)
    whole = plan(site, SITE_FILE, draft)
    assert (whole.touches(rule.id, "truck"), whole.touches(rule.id, "new-1"), whole.touches("x", "truck")) == (
        True, False, False,
    )  # fmt: skip
    store.write(found, 1)
    result = judged(store, site, whole, T0 - DAY_MS, TO_MS)
    engines = Comparison(site, "main", SITE_FILE, draft)
    engines.feed(outcomes(found, Random(1)))
    mine = [[each for each in shown(e, {rule.id}) if each[9] == "truck"] for e in (engines.before, engines.after)]
    assert [shown(result.before, {rule.id}), shown(result.after, {rule.id})] == mine
    assert mine[0] != mine[1]
    assert result.devices == 1
