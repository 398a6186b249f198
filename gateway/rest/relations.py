"""GET /api/analytics/correlations and /api/analytics/cycles: what moves with what, what a day usually looks like."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import timedelta, timezone
from typing import Any, Final

import numpy as np
from quart import Response

from analytics.clustering import clustered_order
from analytics.correlation import correlations
from analytics.cycle import turn_of_day
from analytics.day_profile import DayProfile, day_profile
from analytics.local_time import LocalTime
from analytics.patterns import MIN_SAMPLES
from analytics.records import Correlation
from analytics.words import difference, duration, number
from storage.grid import HOUR_MS, means, step_for
from storage.models import Buckets, Values

from .. import schemas
from ..answers import Answer, problems
from ..backend import Backend
from ..charge import charge
from ..compute import in_thread
from ..names import check_known, choose
from ..problems import Problem
from ..rounding import number as rounded
from ..routes import Route, json_response
from .historical import MAX_METRICS, POINTS

DAY_MS: Final = 24 * HOUR_MS
STRONG: Final = 0.7  # a correlation that is called close
FORETOLD: Final = 0.25  # of a day's movement, before a daily pattern is spoken of


async def get_correlations(backend: Backend, query: schemas.dashboard.CorrelationsQuery) -> Response:
    now_ms = backend.wall_ms()
    span_ms = query.time_window_hours * HOUR_MS
    step_ms = step_for(span_ms, POINTS)
    chosen = await choose(backend, None, MAX_METRICS)
    start_ms = now_ms - span_ms
    read = await backend.history.buckets(chosen.names, start_ms - start_ms % step_ms, now_ms + 1, step_ms)
    charge(backend, read.buckets.values())
    gauges = {
        name: some
        for name, some in read.buckets.items()
        if len(some) >= MIN_SAMPLES and backend.catalogue.spec(name).kind == "gauge"
    }
    order, pairs = await in_thread(_relate, gauges)
    place = {name: at for at, name in enumerate(order)}
    titles = {name: backend.catalogue.spec(name).title or name for name in order}
    return json_response(
        {
            "time_window_hours": query.time_window_hours,
            "metrics": [{"metric": name, "title": titles[name]} for name in order],
            "cells": [_cell(pair, place, titles) for pair in pairs],
            "generated_at": now_ms / 1000,
            "truncated": chosen.truncated,
            "complete": read.complete,
            "incomplete_reason": read.reason,
        }
    )


def _relate(gauges: Mapping[str, Buckets]) -> tuple[list[str], list[Correlation]]:
    """Runs in a thread."""
    pairs = correlations(
        {name: (some.starts + some.step_ms // 2, means(some)) for name, some in gauges.items()}, limit=MAX_METRICS**2
    )
    strength = {(pair.metric_a, pair.metric_b): abs(pair.coefficient) for pair in pairs}
    return clustered_order(sorted(gauges), strength), pairs


def _cell(pair: Correlation, place: Mapping[str, int], titles: Mapping[str, str]) -> dict[str, Any]:
    a, b = place[pair.metric_a], place[pair.metric_b]
    lag_ms = pair.lag_ms if a < b else -pair.lag_ms
    return {
        "a": min(a, b),
        "b": max(a, b),
        "coefficient": round(pair.coefficient, 3),
        "lag_seconds": lag_ms / 1000,
        "p_value": float(f"{pair.p_value:.3g}"),
        "samples": pair.samples,
        "text": _words(pair, titles),
    }


def _words(pair: Correlation, titles: Mapping[str, str]) -> str:
    close = "moves closely with" if abs(pair.coefficient) >= STRONG else "moves with"
    if pair.coefficient < 0:
        close = close.replace("with", "against")
    first, second = titles[pair.metric_a], titles[pair.metric_b]
    if pair.lag_ms < 0:
        first, second = second, first
    lead = f"; {first} leads by about {duration(abs(pair.lag_ms))}" if pair.lag_ms else ""
    return f"{first} {close} {second}{lead}"


async def get_cycles(backend: Backend, query: schemas.dashboard.CycleQuery) -> Response:
    if query.metric is None:
        message = "expected the name of a metric"
        raise Problem(422, f"metric: {message}", errors=[{"parameter": "metric", "message": message}])
    name = query.metric
    now_ms = backend.wall_ms()
    local = backend.local_time if query.clock == "coach" else _reader(query.utc_offset_minutes)
    offset_ms = local.offset_ms(now_ms)
    first_ms = (now_ms + offset_ms) // DAY_MS * DAY_MS - query.days * DAY_MS  # wall time
    start_ms = (first_ms - local.offset_ms(first_ms - offset_ms)) // HOUR_MS * HOUR_MS
    read = await backend.history.buckets([name], start_ms, now_ms + 1, HOUR_MS)
    charge(backend, read.buckets.values())
    some = read.buckets.get(name)
    if some is None:
        await check_known(backend, [name])
    spec = backend.catalogue.spec(name)
    starts = np.empty(0, np.int64) if some is None else some.starts
    levels = np.empty(0) if some is None else means(some)
    profile = await in_thread(day_profile, local.wall(starts), levels, now_ms + offset_ms)
    title = spec.title or name
    return json_response(
        {
            "metric": name,
            "title": title,
            "unit": spec.unit,
            "days": profile.days,
            "time_zone": str(local.zone),
            "utc_offset_minutes": offset_ms // 60_000,
            "hours": [
                {
                    "hour": hour,
                    "days": int(profile.count[hour]),
                    "low": _known(profile.low, hour),
                    "middle": _known(profile.middle, hour),
                    "high": _known(profile.high, hour),
                    "today": _known(profile.today, hour),
                }
                for hour in range(24)
            ],
            "week": [[_known(row, hour) for hour in range(24)] for row in profile.week],
            "strength": None if profile.strength is None else round(profile.strength, 3),
            "text": _cycle_words(title, spec.unit, profile),
            "generated_at": now_ms / 1000,
            "complete": read.complete,
            "incomplete_reason": read.reason,
        }
    )


def _reader(utc_offset_minutes: int) -> LocalTime:
    return LocalTime(timezone(timedelta(minutes=utc_offset_minutes)))


def _known(values: Values, at: int) -> float | None:
    value = float(values[at])
    return None if math.isnan(value) else rounded(value)


def _cycle_words(title: str, unit: str | None, profile: DayProfile) -> str:
    if profile.strength is None:
        days = {0: "no day", 1: "one day"}.get(profile.days, f"{profile.days} days")
        return f"{title} has been seen on {days} before today: too few to tell a daily pattern."
    share = number(100 * profile.strength, "%")
    if profile.strength < FORETOLD:
        return f"{title} follows no clear daily pattern: other days foretell {share} of a day's movement."
    peak, low = int(np.nanargmax(profile.middle)), int(np.nanargmin(profile.middle))
    swing = float(profile.middle[peak] - profile.middle[low])
    how = "strongly" if profile.strength >= 2 * FORETOLD else "somewhat"
    return (
        f"{title} repeats every day, {how}: highest around {turn_of_day(profile.middle, peak)}, lowest around "
        f"{turn_of_day(profile.middle, low)}, a swing of {difference(swing, unit)}. Other days foretell {share} of a "
        "day's movement."
    )


ROUTES: Final = (
    Route(
        method="GET",
        path="/api/analytics/correlations",
        handler=get_correlations,
        summary="What moves with what",
        description=(
            "Pairs of metrics whose movements agree beyond chance (tested with autocorrelation and the number of pairs "
            "taken into account), with the lag at which they agree best, and the metrics in clustered order, as a "
            f"heatmap shows them. Moving together is no cause. At most {MAX_METRICS} metrics take part."
        ),
        tag="Dashboard",
        query=lambda: schemas.dashboard.CorrelationsQuery,
        answers=lambda: {
            200: Answer(
                "The pairs",
                schemas.dashboard.CorrelationsResponse,
                example={
                    "time_window_hours": 168,
                    "metrics": [
                        {"metric": "solar.power", "title": "Solar power"},
                        {"metric": "battery.house.voltage", "title": "House battery voltage"},
                    ],
                    "cells": [
                        {
                            "a": 0,
                            "b": 1,
                            "coefficient": 0.81,
                            "lag_seconds": 600.0,
                            "p_value": 0.0001,
                            "samples": 168,
                            "text": "Solar power moves closely with House battery voltage",
                        }
                    ],
                    "generated_at": 1760000000.0,
                    "truncated": False,
                    "complete": True,
                    "incomplete_reason": None,
                },
            ),
            **problems(
                404,
                422,
                500,
                details={
                    404: "Analytics dashboard disabled",
                    422: "time_window_hours: must be less than or equal to 720",
                },
            ),
        },
        gated=True,
    ),
    Route(
        method="GET",
        path="/api/analytics/cycles",
        handler=get_cycles,
        summary="What a day usually looks like",
        description=(
            "Median and quartiles by hour of the day, on the reader's clock or the coach's, over the whole days before "
            "today; today's hours beside them; medians by weekday and hour; and how much of a day the other days "
            "foretell."
        ),
        tag="Dashboard",
        query=lambda: schemas.dashboard.CycleQuery,
        answers=lambda: {
            200: Answer(
                "The day",
                schemas.dashboard.CycleResponse,
                example={
                    "metric": "solar.power",
                    "title": "Solar power",
                    "unit": "W",
                    "days": 28,
                    "time_zone": "America/Denver",
                    "utc_offset_minutes": -420,
                    "hours": [{"hour": 0, "days": 28, "low": 0.0, "middle": 0.0, "high": 0.0, "today": 0.0}],
                    "week": [[0.0]],
                    "strength": 0.86,
                    "text": "Solar power repeats every day, strongly.",
                    "generated_at": 1760000000.0,
                    "complete": True,
                    "incomplete_reason": None,
                },
            ),
            **problems(
                404,
                422,
                500,
                details={404: "No metric is called solar.pwer", 422: "metric: expected the name of a metric"},
            ),
        },
        gated=True,
    ),
)
