"""The command `analyze`: anomalies, patterns and forecasts of a CSV, in words or as one JSON document.

The document: {file, samples, bad_rows, time_zone, reporting, metrics, anomalies, candidates, patterns, correlations,
forecasts}. Times are unix seconds (`timestamp`) and ISO 8601 (`time`). Exit code 1 only when the file cannot be read.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import numpy as np

from actors.frames import correlation_frame, pattern_frame, prediction_frame
from analytics.alarm_level import BASE_RATE, unlikelihood
from analytics.anomalies import ONE_SIDED
from analytics.catalogue import Catalogue, MetricSpec
from analytics.finer_look import looked_at_again, told_a_period
from analytics.local_time import LocalTime
from analytics.patterns import analyze
from analytics.periods import MAX_POINTS
from analytics.reach import MAX_DAYS
from analytics.records import Pattern
from analytics.retrospect import Sight, look_back
from analytics.robust import Times, Values, rising, rounded
from analytics.words import counted, duration
from storage.grid import as_series, step_for, sum_up
from storage.models import Window
from storage.quarantine import outside
from storage.readings import last_of_each

from .progress_bar import ProgressBar
from .recording import BadRow, RecordingError, open_recording

POINTS: Final = 10_080  # about that many buckets of a series are looked at: a week of minutes
SHOWN: Final = 20  # bad rows named


def run_analyze(file: Path, catalogue: Catalogue, local: LocalTime, *, as_json: bool) -> int:
    """Returns the exit code."""
    try:
        with ProgressBar(f"analyze {file.name}", sys.stderr) as bar:
            series, bad = _read(file, bar)
            report = _report(file, series, len(bad), catalogue, local, bar)
            bar(1.0)
    except RecordingError as error:
        print(f"coachiq-analytics: {error}", file=sys.stderr)
        return 1
    for row in bad[:SHOWN]:
        print(f"{file}: line {row.line}: {row.problem}", file=sys.stderr)
    print(json.dumps(report, ensure_ascii=False, allow_nan=False) if as_json else "\n".join(_words(report, local)))
    return 0


def _read(file: Path, bar: ProgressBar) -> tuple[dict[str, tuple[Times, Values]], list[BadRow]]:
    times: dict[str, list[int]] = defaultdict(list)
    values: dict[str, list[float]] = defaultdict(list)
    bad: list[BadRow] = []
    name = file.name.removesuffix(".gz").removesuffix(".csv") or "metric"
    with open_recording(file, only_metric=name) as recording:
        for number, row in enumerate(recording):
            if isinstance(row, BadRow):
                bad.append(row)
                continue
            times[row.name].append(row.time_ms)
            values[row.name].append(row.value)
            if number % 5_000 == 0:
                bar(0.2 * recording.fraction)
    if bad and not times:
        raise RecordingError(f"{file}: no row can be read; line {bad[0].line}: {bad[0].problem}")
    return {
        name: rising(np.array(times[name], dtype=np.int64), np.array(values[name], dtype=np.float64)) for name in times
    }, bad


def _report(
    file: Path, series: dict[str, tuple[Times, Values]], bad: int, catalogue: Catalogue, local: LocalTime,
    bar: ProgressBar,
) -> dict[str, Any]:  # fmt: skip
    total = max(1, sum(len(values) for _, values in series.values()))
    done = 0

    def advance(samples: int) -> None:
        nonlocal done
        done += samples
        bar(0.2 + 0.7 * done / total)

    anomalies, candidates, metrics = [], [], []
    for name, (times, values) in series.items():
        catalogue.place(name, values)
        spec = catalogue.spec(name)
        found = look_back(times, values, spec, local, advance)
        anomalies += [_sight(name, sight, local) for sight in found.anomalies]
        candidates += [_sight(name, sight, local) for sight in found.candidates]
        metrics.append({
            "metric_name": name, "unit": spec.unit, "samples": len(values), "start": int(times[0]) / 1000,
            "end": int(times[-1]) / 1000, "anomalies": len(found.anomalies),
        })  # fmt: skip
    now_ms = max((int(times[-1]) for times, _ in series.values()), default=0)
    thin = {name: _on_the_grid(times, values, catalogue.spec(name)) for name, (times, values) in series.items()}
    regular = analyze(thin, now_ms, catalogue, local=local, anomalies=False)
    return {
        "file": str(file),
        "samples": total if series else 0,
        "bad_rows": bad,
        "time_zone": str(local.zone),
        "reporting": {"score": round(unlikelihood(0.0, 0.0), 6), "nominal_events_per_week": BASE_RATE},
        "metrics": metrics,
        "anomalies": sorted(anomalies, key=lambda each: each["timestamp"]),
        "candidates": sorted(candidates, key=lambda each: each["timestamp"]),
        "patterns": [pattern_frame(each) for each in _looked_at_again(regular.patterns, series, catalogue, now_ms)],
        "correlations": [correlation_frame(pair) for pair in regular.correlations],
        "forecasts": [prediction_frame(prediction) for prediction in regular.predictions],
    }


def _looked_at_again(
    patterns: list[Pattern], series: dict[str, tuple[Times, Values]], catalogue: Catalogue, now_ms: int
) -> list[Pattern]:
    """Periods of the grid that the newest samples, as they came, refute give way to those they show."""
    for name in told_a_period(patterns, catalogue):
        times, values = series[name]
        look = times[-MAX_POINTS:], values[-MAX_POINTS:]
        step_ms = step_for(int(times[-1]) - int(times[0]), POINTS)
        patterns = looked_at_again(patterns, {name: [look]}, catalogue, now_ms, step_ms)
    return patterns


def _on_the_grid(times: Times, values: Values, spec: MetricSpec) -> tuple[Times, Values]:
    """What the service would look at: means of the plausible samples of each bucket, or the last readings of a
    counter."""
    step_ms, plausible = step_for(int(times[-1]) - int(times[0]), POINTS), (spec.plausible_low, spec.plausible_high)
    if spec.kind == "counter":
        return last_of_each(Window(times, values), step_ms, plausible)
    sound = ~outside(values, values, plausible)
    return as_series(sum_up(Window(times[sound], values[sound]), step_ms))


def _iso(at_ms: int, local: LocalTime) -> str:
    return datetime.fromtimestamp(at_ms / 1000, local.zone).isoformat(timespec="seconds")


def _sight(name: str, sight: Sight, local: LocalTime) -> dict[str, Any]:
    def plain(number: float | None) -> float | None:
        return None if number is None else rounded(number)

    return {
        "metric_name": name, "time": _iso(sight.at_ms, local), "timestamp": sight.at_ms / 1000,
        "start": sight.start_ms / 1000, "kind": sight.kind.value, "score": round(sight.score, 6),
        "surprise": round(sight.surprise, 3), "value": plain(sight.value), "expected_low": plain(sight.low),
        "expected_high": plain(sight.high), "direction": sight.side,
    }  # fmt: skip


def _words(report: dict[str, Any], local: LocalTime) -> list[str]:
    samples, metrics = counted(report["samples"], "sample"), counted(len(report["metrics"]), "metric")
    lines = [f"{report['file']}: {samples} of {metrics}"]
    if report["bad_rows"]:
        lines.append(f"{counted(report['bad_rows'], 'row')} could not be read")
    lines += ["", f"Anomalies: {len(report['anomalies'])}"]
    for each in report["anomalies"]:
        value = "" if each["value"] is None else f"  value {_number(each['value'])}"
        bounded = each["expected_low"] is not None and each["expected_high"] is not None
        seen = each["value"]
        within = bounded and seen is not None and each["expected_low"] <= seen <= each["expected_high"]
        # A range that the value lies in would speak against what is told.
        if bounded and not within and each["kind"] in ONE_SIDED:
            value += f", usually {_number(each['expected_low'])} to {_number(each['expected_high'])}"
        lines.append(f"  {each['time']}  {each['metric_name']}  {each['kind']}  score {each['score']:.3f}{value}")
    lines += ["", f"Patterns: {len(report['patterns'])}"]
    lines += [f"  {each['metric']}  {each['description']}" for each in report["patterns"]]
    lines += ["", f"Correlations: {len(report['correlations'])}"]
    for each in report["correlations"]:
        lag_ms = each["lag_seconds"] * 1000
        lead = f", {each['metric_a']} leads by {duration(lag_ms)}" if lag_ms else ""
        lines.append(f"  {each['metric_a']}  {each['metric_b']}  {each['coefficient']:.4f}{lead}")
    lines += ["", f"Forecasts: {len(report['forecasts'])}"]
    lines += [f"  {_forecast_words(each, local)}" for each in report["forecasts"]]
    return lines


def _forecast_words(each: dict[str, Any], local: LocalTime) -> str:
    """The interval of a value; or, where it is known what will be reached, that of the time."""

    def at(seconds: float) -> str:
        return datetime.fromtimestamp(seconds, local.zone).isoformat(timespec="minutes")

    value, sure = _number(each["value"]), f"{each['confidence']:.0%}"
    if each["earliest"] is None:
        said = f"{value} ({_number(each['low'])} to {_number(each['high'])}, {sure})"
    else:
        latest = f"perhaps not within {MAX_DAYS} days" if each["latest"] is None else at(each["latest"])
        said = f"reaches {value} ({at(each['earliest'])} to {latest}, {sure})"
    return f"{at(each['timestamp'])}  {each['metric']}  {said}; {each['method']}"


def _number(value: float) -> str:
    """As in the JSON document, a whole number without its point."""
    return f"{value:.15g}"
