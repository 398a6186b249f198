from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from analytics.catalogue import CACHE_LIMIT, Catalogue, MetricSpec, title_from
from analytics.catalogue_text import CatalogueError, parse_catalogue


def test_the_first_pattern_wins_and_case_does_not_matter() -> None:
    catalogue = parse_catalogue(
        {"metrics": [{"pattern": "tank.fresh.*", "role": "fresh"}, {"patterns": ["TANK.*", "*level"], "role": "any"}]}
    )
    assert catalogue.spec("Tank.Fresh.level").role == "fresh"
    assert catalogue.spec("tank.black.level").role == "any"
    assert catalogue.spec("oil.level").role == "any"
    assert [spec.pattern for spec in catalogue.specs] == ["tank.fresh.*", "TANK.*", "*level"]


@given(st.lists(st.text("ab*?[]!-.\n", max_size=6), min_size=1, max_size=4), st.text("ab[]!-.\n", max_size=6))
def test_a_name_finds_what_the_patterns_alone_would_find(patterns: list[str], name: str) -> None:
    catalogue = Catalogue([MetricSpec(pattern=pattern, role=pattern, title="t") for pattern in patterns])
    first = next((pattern for pattern in patterns if fnmatchcase(name, pattern)), None)
    assert catalogue.spec(name).role == first


def test_an_unknown_name_gets_a_default_without_limits() -> None:
    spec = Catalogue().spec("light.bedroom_1.brightness")
    assert (spec.low, spec.high, spec.kind, spec.role) == (None, None, "gauge", None)
    assert spec.title == "Light bedroom 1 brightness"


def test_metrics_of_ours_come_before_all_patterns() -> None:
    catalogue = Catalogue([MetricSpec(pattern="*hours*", role="run_time", unit="min")])
    assert catalogue.spec("kpi.hours").role == "run_time"
    catalogue.define([MetricSpec(pattern="kpi.hours", unit="h", title="Hours")])
    spec = catalogue.spec("kpi.hours")
    assert (spec.role, spec.unit, spec.title) == (None, "h", "Hours")
    assert catalogue.spec("other.hours").role == "run_time"
    catalogue.define([])
    assert catalogue.spec("kpi.hours").role == "run_time"


def test_all_members_are_read() -> None:
    [spec, hours] = parse_catalogue(
        {
            "metrics": [
                {
                    "pattern": "x", "unit": "V", "kind": "gauge", "role": "r", "title": "T", "plausible": [0, 100],
                    "warn": [20, None], "critical": [10, 90], "bad_direction": "below", "hold_s": 5, "hysteresis": 0.5,
                    "min_deviation": 1, "off_below": 2, "intermittent": True,
                },
                {"pattern": "h", "kind": "counter", "unit": "min", "service_every": 6000},
            ]
        }
    ).specs  # fmt: skip
    assert spec == MetricSpec(
        pattern="x", unit="V", role="r", title="T", plausible_low=0, plausible_high=100, warn_low=20, critical_low=10,
        critical_high=90, bad_direction="below", hold_s=5, hysteresis=0.5, min_deviation=1, off_below=2,
        intermittent=True,
    )  # fmt: skip
    assert (spec.low, spec.high) == (20, 90)
    assert hours == MetricSpec(pattern="h", kind="counter", unit="min", service_every=6000)


HOURS: dict[str, Any] = {"pattern": "a", "kind": "counter", "unit": "h"}
BAD: list[tuple[Any, str]] = [
    ([], "mapping"),
    ({}, "`metrics` must be a list"),
    ({"metrics": [], "metric": []}, "unknown member `metric`"),
    ({"metrics": [3]}, r"metrics\[0\]: must be a mapping"),
    ({"metrics": [{}]}, r"metrics\[0\]: needs `pattern`"),
    ({"metrics": [{"pattern": ""}]}, "needs `pattern`"),
    ({"metrics": [{"pattern": "a"}, {"pattern": "b", "unti": "V"}]}, r"metrics\[1\] \(b\): unknown member `unti`"),
    ({"metrics": [{"pattern": "a", "warn": 3}]}, r"\(a\): `warn` must be \[low, high\]"),
    ({"metrics": [{"pattern": "a", "warn": [1, "x"]}]}, "`warn` must be a number"),
    ({"metrics": [{"pattern": "a", "warn": [True, 3]}]}, "`warn` must be a number"),
    ({"metrics": [{"pattern": "a", "warn": [1, float("nan")]}]}, "`warn` must be a number"),
    ({"metrics": [{"pattern": "a", "hold_s": -1}]}, "`hold_s` must not be negative"),
    ({"metrics": [{"pattern": "a", "kind": "guage"}]}, "`kind` must be one of gauge, counter, state"),
    ({"metrics": [{"pattern": "a", "bad_direction": "up"}]}, "`bad_direction` must be one of"),
    ({"metrics": [{"pattern": "a", "unit": 3}]}, "`unit` must be a text"),
    ({"metrics": [{"pattern": "a", "intermittent": "yes"}]}, "`intermittent` must be true or false"),
    (
        {"metrics": [{"pattern": "a", "warn": [1, None], "critical": [2, None]}]},
        r"critical_low \(2\) must be below warn_low",
    ),
    ({"metrics": [{"pattern": "a", "warn": [5, 5]}]}, r"warn_low \(5\) must be below warn_high"),
    ({"metrics": [{"pattern": "a", "plausible": [0, 10], "critical": [None, 20]}]}, "must be below plausible_high"),
    ({"metrics": [HOURS | {"service_every": 0}]}, "`service_every` must be more than 0"),
    ({"metrics": [HOURS | {"service_every": -150}]}, "`service_every` must not be negative"),
    ({"metrics": [HOURS | {"service_every": "150 h"}]}, "`service_every` must be a number"),
    ({"metrics": [HOURS | {"kind": "gauge", "service_every": 150}]}, r"\(a\): `service_every` needs `kind: counter`"),
    ({"metrics": [HOURS | {"unit": "km", "service_every": 150}]}, "`service_every` needs .* one of h, min, s"),
    ({"metrics": [{"pattern": "a", "kind": "counter", "service_every": 150}]}, "`service_every` needs"),
    ({"metrics": [{"pattern": "a", "systems": {}}]}, "`systems` must be a list"),
    ({"metrics": [{"pattern": "a", "systems": [24]}]}, "each of `systems` must be a mapping"),
    (
        {"metrics": [{"pattern": "a", "systems": [{"usual": [20, 36], "unit": "V"}]}]},
        "unknown member `unit` of a system",
    ),
    ({"metrics": [{"pattern": "a", "systems": [{"warn": [20, 36]}]}]}, r"needs `usual`, as \[low, high\]"),
    ({"metrics": [{"pattern": "a", "systems": [{"usual": [20, None]}]}]}, r"needs `usual`, as \[low, high\]"),
    (
        {"metrics": [{"pattern": "a", "critical": [9, 15], "systems": [{"usual": [20, 36], "warn": [8, 30]}]}]},
        r"critical_low \(9\) must be below warn_low",
    ),
]


@pytest.mark.parametrize(("document", "message"), BAD)
def test_every_mistake_is_named(document: Any, message: str) -> None:
    with pytest.raises(CatalogueError, match=message):
        parse_catalogue(document)


def test_another_unit_than_the_entrys_takes_role_and_limits_away(shipped_catalogue: Catalogue) -> None:
    catalogue = Catalogue(shipped_catalogue.specs)
    name = "fridge.temperature"
    assert not catalogue.hear(name, "Celsius")
    assert catalogue.spec(name).role == "fridge_temperature"
    assert catalogue.hear(name, " °F ")
    assert not catalogue.hear(name, "°F")
    spec = catalogue.spec(name)
    assert (spec.unit, spec.role, spec.high, spec.plausible_high, spec.bad_direction) == (
        "°F",
        None,
        None,
        None,
        "none",
    )
    assert spec.title == "Refrigerator temperature"
    assert catalogue.hear(name, "°C")
    assert catalogue.spec(name) == shipped_catalogue.spec(name)


def test_a_metric_whose_entry_has_no_unit_has_the_one_its_sender_says(shipped_catalogue: Catalogue) -> None:
    catalogue = Catalogue(shipped_catalogue.specs)
    for name in ("oil in the sump", "outside temp"):
        before = catalogue.spec(name)
        assert not catalogue.hear(name, " L ")  # it is judged as before
        assert catalogue.spec(name) == replace(before, unit="L")
        assert not catalogue.hear(name, "")
        assert catalogue.spec(name) == before
    catalogue.hear("x", "u" * 300)
    assert catalogue.spec("x").unit is None


@pytest.mark.parametrize(
    ("name", "values", "limits"),
    [
        ("battery.house.voltage", [13.2], (11.5, 12, 14.8, 15.2)),
        ("battery.house.voltage", [26.4], (23, 24, 29.6, 30.4)),
        ("battery.house.voltage", [52.8, 25.5, 52.9], (46, 48, 59.2, 60.8)),
        ("battery.house.voltage", [12.9, 25.5, 13.0], (11.5, 12, 14.8, 15.2)),  # one that is no value
        ("battery.chassis.voltage", [27.9], (23, 24, 30, 31)),
        ("shore.leg1.voltage", [119.0], (104, 108, 126, 132)),
        ("shore.leg1.voltage", [0.0, 0.0, 231.0], (196, 207, 253, 264)),  # unplugged says nothing
        ("shore.leg1.voltage", [0.0], (104, 108, 126, 132)),
        ("shore.leg1.voltage", [], (104, 108, 126, 132)),
    ],
)
def test_the_voltage_shows_by_which_systems_limits_it_is_judged(
    shipped_catalogue: Catalogue, name: str, values: list[float], limits: tuple[float, ...]
) -> None:
    catalogue = Catalogue(shipped_catalogue.specs)
    before = catalogue.spec(name)
    assert catalogue.place(name, np.array(values)) is (before.critical_low != limits[0])
    assert not catalogue.place(name, np.array(values))
    spec = catalogue.spec(name)
    assert (spec.critical_low, spec.warn_low, spec.warn_high, spec.critical_high) == limits
    assert (spec.role, spec.unit, spec.title, spec.has_systems) == (before.role, before.unit, before.title, True)
    assert spec.plausible_low is not None
    assert spec.plausible_low < limits[0]


def test_what_fits_no_system_leaves_it_as_it_is(shipped_catalogue: Catalogue) -> None:
    catalogue, name = Catalogue(shipped_catalogue.specs), "battery.house.voltage"
    assert not catalogue.place(name, np.array([17.5]))
    assert catalogue.place(name, np.array([26.0]))
    for strange in (17.5, 36.9, 0.0, -3.0, 900.0):
        assert not catalogue.place(name, np.array([strange]))
        assert catalogue.spec(name).critical_low == 23
    assert catalogue.place(name, np.array([12.8]))
    assert catalogue.spec(name) == shipped_catalogue.spec(name)
    assert not catalogue.place("fridge.temperature", np.array([230.0]))


def test_names_from_outside_do_not_fill_memory() -> None:
    catalogue = Catalogue()
    for index in range(CACHE_LIMIT + 10):
        catalogue.spec(f"m{index}")
    assert len(catalogue._known) <= CACHE_LIMIT
    assert catalogue.spec("m1") is catalogue.spec("m1")


@pytest.mark.parametrize(("name", "title"), [("a.b_c-d", "A b c d"), ("...", "..."), ("", ""), ("x//y z", "X y z")])
def test_titles_from_names(name: str, title: str) -> None:
    assert title_from(name) in (title, name)


DOCUMENTED = [
    ("battery.house.voltage", "V", "battery_voltage"), ("house_battery_voltage", "V", "battery_voltage"),
    ("fridge.temperature", "°C", "fridge_temperature"), ("tank.gray.level", "%", "waste_tank"),
    ("tank.grey.level", "%", "waste_tank"), ("fresh_tank_level", "%", "fresh_tank"),
    ("tank.propane.level", "%", "propane_tank"), ("shore.leg2.voltage", "V", "shore_voltage"),
    ("engine.coolant.temperature", "°C", "engine_temperature"), ("api.response_time", "ms", "response_time"),
    ("light.galley.brightness", "%", "light"), ("climate.front.heat_setpoint", "°C", "heat_setpoint"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "unit", "role"), DOCUMENTED)
def test_the_shipped_catalogue_knows_the_signals_of_a_coach(
    shipped_catalogue: Catalogue, name: str, unit: str, role: str
) -> None:
    spec = shipped_catalogue.spec(name)
    assert (spec.unit, spec.role) == (unit, role)


@pytest.mark.parametrize(
    ("name", "unit", "role"),
    [
        ("house_battery_voltage_mv", "mV", "voltage"), ("house_battery_cell_3_voltage", "V", "voltage"),
        ("house_battery_voltage_alarm", None, "state"), ("house_battery_temperature_f", "°F", "temperature"),
        ("refrigerator.temperature.fahrenheit", "°F", "temperature"),
        ("fridge_freezer_temperature", None, "temperature"),
        ("fridge_compressor_temperature", None, "temperature"), ("fridge_temperature_target", None, "setpoint"),
        ("fresh_tank_gallons", None, None), ("tank/fresh/capacity", None, None), ("fresh_tank_pump", None, "state"),
        ("fresh_water_tank_temperature", None, "temperature"), ("propane_tank_pressure", None, "pressure"),
        ("solarcharger/278/Dc/0/Voltage", "V", "battery_voltage_any"), ("solar_power_today", None, "solar"),
        ("GENERATOR_STATUS_1.start_battery_voltage", "V", "battery_voltage_any"),
        ("GENERATOR_STATUS_1.engine_load", "%", "generator_load"),
        ("GENERATOR_STATUS_1.status", None, "generator_state"),
        ("generator_run_time_minutes", "min", "run_time"), ("FURNACE_STATUS.1.fan_speed", None, "navigation"),
        ("inverter_load_percent", "%", "load"), ("http_response_time_seconds", "s", None),
        ("sensor.porch_illuminance", None, None), ("temperature/24/Humidity", "%", "humidity"),
        ("coach/battery/house/soc", "%", "battery_soc"), ("inside.fridge.temperature", "°C", "fridge_temperature"),
    ],
)  # fmt: skip
def test_what_a_name_says_besides_is_heard(
    shipped_catalogue: Catalogue, name: str, unit: str | None, role: str | None
) -> None:
    """A cell's 3.3 V, a fridge's 38 °F and a tank's 40 gallons are none of what the general patterns judge."""
    spec = shipped_catalogue.spec(name)
    assert (spec.unit, spec.role) == (unit, role)


def test_general_patterns_of_the_shipped_catalogue_carry_no_limits(shipped_catalogue: Catalogue) -> None:
    """308 may be a temperature in kelvin, and 26.6 a healthy 24 V battery."""
    for name in ("temperature.actual_temperature@44.2", "battery_status.voltage@5.12", "smartshunt.Soc", "what.ever"):
        assert (shipped_catalogue.spec(name).low, shipped_catalogue.spec(name).high) == (None, None)
