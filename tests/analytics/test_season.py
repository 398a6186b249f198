from __future__ import annotations

import numpy as np

from analytics.season import Season

DAY_S = 86_400
MONDAY = 4 * DAY_S  # 1970-01-05


def run(values: dict[int, float] | None, days: int, season: Season, *, weekend: float = 0.0) -> list[float]:
    """Half-hourly values that follow the day (and Saturday and Sunday by `weekend`); the residuals of the last day."""
    last: list[float] = []
    for half_hour in range(days * 48):
        at_s = MONDAY + half_hour * 1800.0
        day = int(at_s // DAY_S - 4) % 7
        value = 10 + 5 * np.sin(2 * np.pi * (half_hour % 48) / 48) + (weekend if day >= 5 else 0.0)
        residual, _ = season.residual(at_s, float(value), 1800.0)
        last.append(residual)
    return last


def test_a_daily_habit_leaves_no_residual_from_the_second_day_on() -> None:
    residuals = run(None, 6, Season())
    assert max(map(abs, residuals[48:])) < 1e-9


def test_a_weekend_is_learned_once_two_have_been_seen() -> None:
    residuals = run(None, 6 * 7, Season(), weekend=8.0)
    saturday = [max(map(abs, residuals[(7 * week + 5) * 48 : (7 * week + 6) * 48])) for week in range(6)]
    assert saturday[0] > 7.0
    assert saturday[5] < 2.0


def test_it_says_whether_the_hour_is_known() -> None:
    season = Season()
    known = [season.residual(MONDAY + day * DAY_S, 1.0, 1800.0)[1] for day in range(4)]
    assert known == [False, False, True, True]


def test_the_minutes_before_are_no_habit() -> None:
    season = Season()
    known = [season.residual(MONDAY + minute * 60.0, minute / 60, 60.0)[1] for minute in range(2 * 24 * 60)]
    assert not any(known[: 24 * 60])
    assert all(known[24 * 60 :])


def test_it_says_the_same_after_a_restart() -> None:
    season, restored = Season(), Season()
    run(None, 20, season, weekend=3.0)
    restored.unpack(season.pack())
    assert run(None, 3, restored) == run(None, 3, season)
