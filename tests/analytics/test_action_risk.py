"""What may be done at the press of a button."""

from __future__ import annotations

import pytest

from analytics.action_risk import TEMPLATES, consequence, is_on, is_so, risk

OFF, ON, DIM = TEMPLATES["switch_off"], TEMPLATES["switch_on"], TEMPLATES["dim"]


@pytest.mark.parametrize(
    "text",
    ["propane_valve", "Engine heater", "transmission", "brake_controller", "steering", "jack_front", "leveling",
     "Leveller", "auto_leveling_system", "LPG solenoid", "ignition relay", "LP valve",
     "lp_gas_shutoff", "Auto Level", "auto_level_1"],
)  # fmt: skip
def test_what_is_never_a_button(text: str) -> None:
    assert risk(OFF, "light", text) == "red"
    assert risk(ON, text) == "red"


@pytest.mark.parametrize("text", ["generator_onan", "Genset", "gen_start", "GenStart", "Gen Auto Start", "AGS"])
def test_a_generator_is_never_started(text: str) -> None:
    assert risk(ON, "switch", text) == "red"
    assert risk(OFF, "light", text) == "amber"


def test_what_only_sounds_like_one_is_none() -> None:
    assert risk(ON, "general light", "lamp help agsten") == "green"


def test_a_generator_may_be_stopped() -> None:
    assert risk(OFF, "generator_onan") == "amber"
    assert risk(OFF, "generator fan") == "amber"


@pytest.mark.parametrize(("text", "expected"), [("light_porch", "green"), ("roof fan", "green"), ("pump", "amber"),
                                                ("whatever", "amber")])  # fmt: skip
def test_what_is_not_known_to_be_harmless_is_amber(text: str, expected: str) -> None:
    assert risk(OFF, text) == expected


def test_every_template_is_absolute() -> None:
    for template in TEMPLATES.values():
        assert template.command["command"] == "set"
        assert isinstance(template.command["state"], bool)
        assert template.command["state"] is template.turns_on


@pytest.mark.parametrize(
    ("state", "on"),
    [({"state": "on"}, True), ({"state": "OFF"}, False), ({"state": True}, True), ({"on": 0}, False),
     ({"operating_status": 100}, True), ({"state": "stuck"}, None), ({}, None)],
)  # fmt: skip
def test_on_and_off_however_it_is_spelled(state: dict, on: bool | None) -> None:
    assert is_on(state) is on
    assert is_so(ON, state) is on
    assert is_so(OFF, state) is (None if on is None else not on)


def test_dimmed() -> None:
    assert is_so(DIM, {"state": "on", "brightness": 25}) is True
    assert is_so(DIM, {"state": "on", "brightness": 100}) is False
    assert is_so(DIM, {"state": "off", "brightness": 0}) is False
    assert is_so(DIM, {"state": "on"}) is None


def test_the_consequence_in_words() -> None:
    assert consequence(OFF, "Pump", "green") == "Pump is switched off."
    assert "nobody depends on it" in consequence(OFF, "Pump", "amber")
