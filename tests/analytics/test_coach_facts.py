"""Every check brings exactly the words that its kind promises, and every promised kind has a rule that uses some."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.catalogue import Catalogue
from analytics.coach_alternator import AlternatorTrend
from analytics.coach_facts import COACH_KINDS, FACTS
from analytics.coach_watch import PROMPT, THOROUGH
from analytics.records import FindingKind
from analytics.rules import Rules

from .coach_days import Days


def test_checks_bring_the_words_of_their_kind(shipped_catalogue: Catalogue) -> None:
    seen = set()
    for hours in (2.0, 9.0, 14.0, 23.0):
        days = Days(10, hours)
        run = days.last(2)
        for begin in (300, 900, 1500):
            for name in ("generator.running", "engine.rpm", "climate.air_conditioner.on"):
                days.values[name][begin : begin + 40] = 1000
                days.values[name][run] = 1000
            days.values["alternator.current"][begin : begin + 40] = 60
        days.values["battery.house.soc"] -= 20
        days.values["battery.chassis.voltage"][:] = np.where(np.arange(days.slots) < 1000, 14.1, 13.4)
        for begin in (1250, 2000):
            days.values["engine.rpm"][begin : begin + 40] = 1900
        days.values["generator.run_time"][run] = 450.05
        days.values["generator.run_time"][: run.start] = 449.95
        view = days.view(shipped_catalogue)
        for check in (*PROMPT, *THOROUGH, AlternatorTrend().alternator_weak):
            for sign in check(view):
                assert set(sign.facts) == FACTS[sign.kind], check.__name__
                seen.add(sign.kind)
    assert seen >= COACH_KINDS - {FindingKind.OUTPUT_LOW, FindingKind.AGEING, FindingKind.OVERNIGHT_DROP}


@pytest.mark.parametrize("kind", sorted(COACH_KINDS))
def test_every_kind_has_a_shipped_rule(shipped_rules: Rules, kind: FindingKind) -> None:
    assert any(rule.kind == kind for rule in shipped_rules.rules)


def test_an_incident_is_not_a_check() -> None:
    assert FindingKind.INCIDENT not in COACH_KINDS
