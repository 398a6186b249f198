"""The glance: which metrics, how they stand, where the power flows."""

from __future__ import annotations

import pytest

from analytics.catalogue import Catalogue, MetricSpec
from analytics.catalogue_text import parse_catalogue
from gateway.glance import OTHER, glance, level, power_flow, stale_after_s
from storage.models import Latest, SeriesInfo

NOW_MS = 1_760_000_000_000
CATALOGUE = parse_catalogue(
    {
        "metrics": [
            {"pattern": "battery.soc", "role": "battery_soc", "unit": "%"},
            {"pattern": "battery.voltage", "role": "battery_voltage", "unit": "V", "warn": [12, 14.8]},
            {"pattern": "battery.current", "role": "battery_current", "unit": "A"},
            {"pattern": "chassis.voltage", "role": "battery_voltage", "unit": "V"},
            {"pattern": "solar.*", "role": "solar_power", "unit": "W"},
            {"pattern": "shore.*.voltage", "role": "shore_voltage", "off_below": 40, "warn": [108, 126]},
            {"pattern": "shore.*.current", "role": "shore_current"},
            {"pattern": "alternator.current", "role": "alternator_current"},
            {"pattern": "inverter.load", "role": "inverter_load"},
            {"pattern": "tank.*", "role": "fresh_tank", "intermittent": True},
        ]
    }
)


def info(name: str, value: float = 1.0, *, received: int = 100, age_s: float = 1.0) -> SeriesInfo:
    last_ms = NOW_MS - round(age_s * 1000)
    return SeriesInfo(
        name, received, 100, last_ms, last_ms, Latest(last_ms, value, 1), None, received, NOW_MS - 100_000
    )


def specs(*names: str, catalogue: Catalogue = CATALOGUE) -> dict[str, MetricSpec]:
    return {name: catalogue.spec(name) for name in names}


def test_groups_come_in_reading_order_and_tiles_by_role() -> None:
    names = ("tank.fresh", "battery.current", "battery.soc", "unknown")
    groups = glance([info(name) for name in names], specs(*names), NOW_MS)
    assert [each["group"] for each in groups] == ["battery", "tanks"]
    assert [tile["metric"] for tile in groups[0]["tiles"]] == ["battery.soc", "battery.current"]


def test_a_coach_the_catalogue_does_not_know_shows_its_latest() -> None:
    names = tuple(f"x{number:02d}" for number in range(40))
    groups = glance([info(name, age_s=number) for number, name in enumerate(names)], specs(*names), NOW_MS)
    assert [each["group"] for each in groups] == ["other"]
    assert [tile["metric"] for tile in groups[0]["tiles"]] == list(names[:OTHER])
    assert glance([], {}, NOW_MS) == []


@pytest.mark.parametrize(("severity", "stands"), [("low", "warning"), ("high", "warning"), ("critical", "critical")])
def test_a_threshold_of_ones_own_marks_the_tile(severity: str, stands: str) -> None:
    name = "battery.house.voltage"
    (group,) = glance([info(name)], specs(name), NOW_MS, {name: severity})
    assert group["tiles"][0]["level"] == stands


@pytest.mark.parametrize(
    ("value", "says"), [(13.0, "ok"), (12.0, "ok"), (11.9, "warning"), (11.4, "critical"), (15.3, "critical")]
)
def test_level_by_the_limits(value: float, says: str) -> None:
    spec = MetricSpec(warn_low=12.0, warn_high=14.8, critical_low=11.5, critical_high=15.2)
    assert level(value, spec) == says


def test_what_is_unplugged_has_no_low_limit() -> None:
    assert level(0.0, MetricSpec(warn_low=108.0, off_below=40.0)) == "ok"


def test_stale_follows_the_usual_gap_within_bounds() -> None:
    spec = MetricSpec()
    assert stale_after_s(info("a", received=100), spec, NOW_MS) == 30.0  # one a second
    assert stale_after_s(info("a", received=10), spec, NOW_MS) == 100.0  # one in ten seconds
    assert stale_after_s(info("a", received=1), spec, NOW_MS) is None
    assert stale_after_s(info("a"), MetricSpec(intermittent=True), NOW_MS) is None
    assert stale_after_s(info("a"), MetricSpec(kind="state"), NOW_MS) is None


def flow(**latest: float) -> dict[str, float]:
    named = {name.replace("__", "."): value for name, value in latest.items()}
    return {node["node"]: node["watts"] for node in power_flow(named, specs(*named))}


def test_what_the_sources_give_is_used_or_stored() -> None:
    given = flow(battery__voltage=13.0, battery__current=20.0, chassis__voltage=12.0, solar__power=400.0)
    assert given == {"solar": 400.0, "battery": -260.0, "loads": -140.0}
    given = flow(battery__voltage=12.5, battery__current=-10.0, solar__power=0.0)
    assert given == {"solar": 0.0, "battery": 125.0, "loads": -125.0}


def test_shore_power_counts_every_leg_and_the_alternator_house_volts() -> None:
    given = flow(
        battery__voltage=14.0, battery__current=30.0, shore__leg1__voltage=120.0, shore__leg1__current=5.0,
        shore__leg2__voltage=118.0, shore__leg2__current=1.0, alternator__current=10.0,
    )  # fmt: skip
    assert given == {"shore": 718.0, "alternator": 140.0, "battery": -420.0, "loads": -438.0}


def test_words_of_the_flow() -> None:
    latest = {"battery.voltage": 13.0, "battery.current": 0.0, "shore.leg1.voltage": 0.0, "shore.leg1.current": 0.0}
    nodes = power_flow(latest, specs(*latest))
    assert [(node["node"], node["text"]) for node in nodes] == [
        ("shore", "not plugged in"),
        ("battery", "resting"),
        ("loads", ""),
    ]
    latest |= {"shore.leg1.voltage": 120.0, "inverter.load": 300.0, "battery.current": 5.0}
    nodes = power_flow(latest, specs(*latest))
    assert [node["text"] for node in nodes] == ["plugged in, idle", "charging", "300 W of it through the inverter"]


def test_without_anything_electric_there_is_no_flow() -> None:
    assert power_flow({"tank.fresh": 1.0}, specs("tank.fresh")) == []
