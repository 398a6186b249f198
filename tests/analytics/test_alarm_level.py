from __future__ import annotations

import pytest

from analytics.alarm_level import BASE_RATE, CROWDED, FLOOR, LOW, YOUNG, AlarmLevel, raised, unlikelihood, weekly_rate

DAY_S = 86_400.0


def lived(days: int, every_s: float = 300.0, loud_each_s: float | None = None) -> AlarmLevel:
    level = AlarmLevel()
    for step in range(int(days * DAY_S / every_s)):
        at_s = step * every_s
        loud = loud_each_s is not None and at_s % loud_each_s == 0.0
        level.take(at_s, 3.0 if loud else 0.5, every_s)
    return level


def test_a_quiet_metric_is_believed_at_the_floor_and_a_new_one_later() -> None:
    assert AlarmLevel().level == FLOOR + YOUNG
    assert lived(14).level == FLOOR


def test_a_nervous_metric_has_to_shout() -> None:
    assert lived(28, loud_each_s=DAY_S).level > FLOOR + 0.3


def test_a_fast_metric_has_more_chances_to_err() -> None:
    assert lived(5, every_s=60.0).level > lived(5).level


def test_a_new_pace_makes_it_careful_for_a_while() -> None:
    level = lived(5)
    level.take(5 * DAY_S + 600.0, 0.5, 600.0)
    assert level.level > FLOOR + 0.5 * YOUNG


def test_surprises_that_come_in_crowds_have_to_be_larger() -> None:
    alone, crowded = lived(28, loud_each_s=DAY_S), lived(28, loud_each_s=DAY_S)
    for echo, level in ((0.7, alone), (0.9, crowded)):
        level.take(28 * DAY_S, 0.5, 300.0, echo)
    assert alone.level > FLOOR
    assert crowded.level - LOW == pytest.approx(CROWDED * (alone.level - LOW))


def test_a_quiet_metric_is_believed_at_the_floor_however_its_surprises_come() -> None:
    level = lived(28)
    level.take(28 * DAY_S, 0.5, 300.0, 0.99)
    assert level.level == FLOOR


def test_scores_are_rates_and_probabilities() -> None:
    assert weekly_rate(FLOOR, FLOOR) == pytest.approx(BASE_RATE)
    assert unlikelihood(FLOOR, FLOOR) == pytest.approx(0.78, abs=0.01)
    assert 0.0 <= unlikelihood(-1e9, FLOOR) < unlikelihood(FLOOR + 1, FLOOR) < unlikelihood(FLOOR + 9, FLOOR) <= 1.0
    assert raised(BASE_RATE) == 0.0
    assert raised(BASE_RATE / 10) == pytest.approx(2.5)


def test_it_says_the_same_after_a_restart() -> None:
    level, restored = lived(10, loud_each_s=DAY_S), AlarmLevel()
    restored.unpack(level.pack())
    for step in range(300):
        at_s = 10 * DAY_S + step * 300.0
        level.take(at_s, 2.5, 300.0)
        restored.take(at_s, 2.5, 300.0)
    assert restored.level == level.level
    assert restored.age_s == level.age_s
