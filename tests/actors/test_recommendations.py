"""Buttons come from the server's own parts, and red ones never."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from actors.core import Entity
from actors.recommendations import plays, recommendations
from analytics.records import Insight


@dataclass
class Advice:
    text: str
    template: str | None = None
    entity_role: str | None = None


def insight(*actions: Advice) -> Insight:
    return Insight(
        insight_id="i", key="k", title="t", description="d", category="cost", severity="low", confidence=0.5,
        impact_score=0.5, created_at_ms=1, updated_at_ms=1, expires_at_ms=None, recommendations=(), actions=actions,
    )  # fmt: skip


ENTITIES = [
    Entity("pump_fresh", "Fresh water pump", "pump"),
    Entity("light_porch", "Porch", "light"),
    Entity("light_engine_bay", "Engine bay", "light"),
]


def test_one_button_for_each_entity_of_the_role() -> None:
    advice = insight(
        Advice("words"), Advice("stop it", "switch_off", "water_pump"), Advice("dark", "switch_off", "light")
    )
    found = recommendations([advice], ENTITIES)
    assert [(each.recommendation_id, each.risk) for each in found] == [
        ("i.1.pump_fresh", "amber"), ("i.2.light_porch", "green"),
    ]  # fmt: skip


def test_what_is_so_already_needs_no_button() -> None:
    there = [
        Entity("fan_roof", "Roof fan", "fan", state={"state": "on"}),
        Entity("fan_bath", "Bath fan", "fan", state={"state": "off"}),
        Entity("fan_rear", "Rear fan", "fan"),  # its state is not known
    ]
    found = recommendations([insight(Advice("air", "switch_on", "fan"))], there)
    assert [each.entity.entity_id for each in found] == ["fan_bath", "fan_rear"]


def test_what_no_template_says_is_not_done() -> None:
    assert recommendations([insight(Advice("x", "toggle", "light"), Advice("x", "switch_off"))], ENTITIES) == []


@pytest.mark.parametrize(
    ("role", "there"), [("water_pump", True), ("pump", True), ("gray_pump", False), ("ight", False)]
)
def test_roles(role: str, there: bool) -> None:
    assert plays(ENTITIES[0], role) is there
