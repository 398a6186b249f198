"""GET /api/analytics/historical: patterns, anomalies, correlations and predictions of a window, computed on
the spot."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from quart import Response

from actors.frames import correlation_frame, pattern_frame, prediction_frame
from analytics.catalogue import Catalogue
from analytics.finer_look import looked_at_again, told_a_period
from analytics.local_time import LocalTime
from analytics.patterns import Analysis, Anomaly, analyze
from analytics.robust import Times, Values
from storage.grid import HOUR_MS, as_series, step_for
from storage.looks import finer_looks
from storage.models import Buckets
from storage.readings import last_readings

from .. import schemas
from ..answers import Answer, problems
from ..backend import Backend
from ..charge import charge
from ..compute import in_thread
from ..names import choose
from ..rounding import known
from ..routes import Route, json_response

MAX_METRICS: Final = 150  # pairs grow with the square
POINTS: Final = 700  # about that many buckets a metric
GOOD_POINTS: Final = 24  # fewer say little
MAX_ANOMALIES: Final = 200


async def get_historical_analysis(backend: Backend, query: schemas.historical.HistoricalQuery) -> Response:
    now_ms = backend.wall_ms()
    span_ms = query.time_window_hours * HOUR_MS
    step_ms = step_for(span_ms, POINTS)
    chosen = await choose(backend, None, MAX_METRICS)
    start_ms = (now_ms - span_ms) // step_ms * step_ms
    read = await backend.history.buckets(chosen.names, start_ms, now_ms + 1, step_ms)
    charge(backend, read.buckets.values())
    counters = {name: some for name, some in read.buckets.items() if backend.catalogue.spec(name).kind == "counter"}
    counted = await last_readings(backend.history, counters, start_ms, now_ms + 1)
    charge(backend, counted.read.values())
    reason = read.reason or counted.reason
    found = await in_thread(
        _analyze,
        read.buckets,
        counted.series,
        now_ms,
        backend.catalogue,
        backend.local_time,
        query.analysis_type,
        query.include_predictions,
    )
    patterns = found.patterns
    if names := told_a_period(patterns, backend.catalogue):
        looks, finer = await finer_looks(backend.history, names, now_ms, step_ms)
        for each in finer:
            charge(backend, each.buckets.values())
        patterns = await in_thread(looked_at_again, patterns, looks, backend.catalogue, now_ms, step_ms)
    anomalies = sorted(found.anomalies, key=lambda each: -each.at_ms)
    confidences = [pattern.confidence for pattern in patterns]
    return json_response(
        {
            "analysis_type": query.analysis_type,
            "time_window_hours": query.time_window_hours,
            "patterns": [pattern_frame(each) for each in patterns],
            "anomalies": [_anomaly(each) for each in anomalies[:MAX_ANOMALIES]],
            "correlations": [correlation_frame(each) for each in found.correlations],
            "predictions": [prediction_frame(each) for each in found.predictions],
            "summary": {
                "patterns_found": len(patterns),
                "anomalies_detected": len(anomalies),
                "correlations_found": len(found.correlations),
                "predictions_generated": len(found.predictions),
                "data_quality": _quality(read.buckets),
                "confidence": round(sum(confidences) / len(confidences), 4) if confidences else 0.0,
            },
            "generated_at": now_ms / 1000,
            "truncated": chosen.truncated,
            "complete": reason is None,
            "incomplete_reason": reason,
        }
    )


def _analyze(
    buckets: Mapping[str, Buckets],
    counted: Mapping[str, tuple[Times, Values]],
    now_ms: int,
    catalogue: Catalogue,
    local: LocalTime,
    analysis_type: str,
    predictions: bool,
) -> Analysis:
    """Runs in a thread."""
    series = {name: as_series(some) for name, some in buckets.items()} | dict(counted)
    everything = analysis_type == "all"
    return analyze(
        series,
        now_ms,
        catalogue,
        local=local,
        patterns=everything or analysis_type == "pattern_detection",
        anomalies=everything or analysis_type == "anomaly_detection",
        correlations=everything or analysis_type == "correlation",
        predictions=predictions,
    )


def _quality(buckets: Mapping[str, Buckets]) -> str:
    longest = max((len(some) for some in buckets.values()), default=0)
    if not longest:
        return "no_data"
    return "good" if longest >= GOOD_POINTS else "limited"


def _anomaly(anomaly: Anomaly) -> dict[str, Any]:
    return {
        "metric": anomaly.metric,
        "timestamp": anomaly.at_ms / 1000,
        "start": anomaly.start_ms / 1000,
        "end": anomaly.end_ms / 1000,
        "value": known(anomaly.value),
        "expected_low": known(anomaly.expected_low),
        "expected_high": known(anomaly.expected_high),
        "score": known(anomaly.score),
        "severity": anomaly.severity,
        "description": anomaly.description,
    }


ROUTES: Final = (
    Route(
        method="GET",
        path="/api/analytics/historical",
        handler=get_historical_analysis,
        summary="Patterns, anomalies, correlations, predictions",
        description=(
            "Computed over the window asked for, from memory and archive, on means of 10 seconds to an hour by its "
            "length; days and weeks are the coach's. Only the lists that `analysis_type` names are filled; predictions "
            "come with each unless switched off. A pattern's `data` says its `strength` (0..1), its `support`, what it "
            "`predicts`, and `last_error` beside `error_without`: how far off the newest cycle or stretch was with the "
            "pattern and without it, in the metric's unit. Counters are looked at as rates per hour, "
            "between the last readings of such spans. Predictions for "
            "levels say when they will be empty, full or at a limit (`earliest` to `latest`). At most "
            f"{MAX_METRICS} metrics take part (`truncated` says when there are more), and the newest "
            f"{MAX_ANOMALIES} anomalies are listed."
        ),
        tag="Analysis",
        query=lambda: schemas.historical.HistoricalQuery,
        answers=lambda: {
            200: Answer(
                "The analysis",
                schemas.historical.HistoricalAnalysisResponse,
                example={
                    "analysis_type": "all",
                    "time_window_hours": 168,
                    "patterns": [
                        {
                            "pattern_id": "5b0c8f1d2a7e4c39",
                            "pattern_type": "cyclical",
                            "metric": "solar.power",
                            "description": "Solar power follows the day: highest around 13:00, lowest around 02:00, "
                            "a swing of 240 W",
                            "confidence": 0.93,
                            "frequency": "daily",
                            "correlation_factors": [],
                            "prediction_window": "24 hours",
                            "created_at": 1760000000.0,
                            "data": {
                                "period_hours": 24,
                                "peak_hour": 13,
                                "strength": 0.93,
                                "support": "7 days",
                                "predicts": "the next day by hour",
                                "last_error": 12.8,
                                "error_without": 81.4,
                            },
                        }
                    ],
                    "anomalies": [],
                    "correlations": [
                        {
                            "metric_a": "solar.power",
                            "metric_b": "battery.house.voltage",
                            "coefficient": 0.81,
                            "lag_seconds": 600.0,
                            "p_value": 0.0001,
                            "samples": 168,
                        }
                    ],
                    "predictions": [
                        {
                            "metric": "tank.fresh.level",
                            "timestamp": 1760090000.0,
                            "value": 0.0,
                            "low": 0.0,
                            "high": 0.0,
                            "confidence": 0.9,
                            "method": "time to empty: 7 past days or parts of one, played on",
                            "earliest": 1760050000.0,
                            "latest": 1760140000.0,
                        }
                    ],
                    "summary": {
                        "patterns_found": 1,
                        "anomalies_detected": 0,
                        "correlations_found": 1,
                        "predictions_generated": 1,
                        "data_quality": "good",
                        "confidence": 0.93,
                    },
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
)
