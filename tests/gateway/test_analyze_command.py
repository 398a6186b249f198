from __future__ import annotations

import json
import math
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from analytics.catalogue import Catalogue, MetricSpec
from analytics.local_time import UTC_TIME, LocalTime
from analytics.retrospect import Retrospect
from gateway import analyze_command
from gateway.analyze_command import _forecast_words, _on_the_grid, _words, run_analyze

START = 1_700_000_000
MIDNIGHT = 19_675 * 86_400


def written(path: Path, header: str, name: str = "") -> Path:
    values = 20 + 0.5 * np.random.default_rng(7).normal(size=3_000)
    values[2_500:] += 15
    rows = [f"{name}{START + index * 300},{value:.4f}" for index, value in enumerate(values.tolist())]
    rows.insert(1_000, f"{name}{START},nan")
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


@pytest.mark.parametrize(("header", "name"), [("metric_name,timestamp,value", "cabin,"), ("timestamp,value", "")])
def test_a_csv_becomes_one_json_document(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], header: str, name: str
) -> None:
    file = written(tmp_path / "cabin.csv", header, name)
    assert run_analyze(file, Catalogue(), UTC_TIME, as_json=True) == 0
    said = capsys.readouterr()
    report = json.loads(said.out)
    [found] = report["anomalies"]
    assert (found["metric_name"], found["kind"]) == ("cabin", "step")
    assert found["timestamp"] == START + 2_500 * 300
    assert report["reporting"]["score"] <= found["score"] <= 1.0
    assert (report["bad_rows"], report["samples"]) == (1, 3_000)
    assert {"patterns", "forecasts", "candidates"} <= set(report)
    assert "analyze cabin.csv 100 %" in said.err
    assert "line 1002" in said.err


def test_or_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = written(tmp_path / "cabin.csv", "timestamp,value")
    assert run_analyze(file, Catalogue(), UTC_TIME, as_json=False) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"{file}: 3,000 samples of 1 metric\n1 row could not be read\n")
    assert "cabin  step  score" in out
    assert ", usually 1" in out


@pytest.mark.parametrize(
    ("kind", "value", "told"),
    [
        ("step", 25.0, True),
        ("drift", 25.0, True),
        ("drift", 20.0, False),
        ("shape", 20.0, False),
        ("stuck", 20.0, False),
    ],
)
def test_a_range_is_told_of_what_left_it(kind: str, value: float, told: bool) -> None:
    seen = {
        "metric_name": "cabin", "time": "", "kind": kind, "score": 0.9, "value": value, "expected_low": 18.0,
        "expected_high": 22.0,
    }  # fmt: skip
    report = {
        "file": "a.csv", "samples": 1, "bad_rows": 0, "metrics": ["cabin"], "anomalies": [seen], "patterns": [],
        "correlations": [], "forecasts": [],
    }  # fmt: skip
    assert any("usually 18 to 22" in line for line in _words(report, UTC_TIME)) is told


def test_a_file_that_is_no_recording_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "odd.csv"
    file.write_text("a,b\n1,2\n")
    assert run_analyze(file, Catalogue(), UTC_TIME, as_json=True) == 1
    assert "expected one column" in capsys.readouterr().err


def test_a_file_without_a_row_that_can_be_read_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "odd.csv"
    file.write_text("metric_name,timestamp,value\na,1789257600000,1\na,1789257660000,1\n")
    for as_json in (True, False):
        assert run_analyze(file, Catalogue(), UTC_TIME, as_json=as_json) == 1
        said = capsys.readouterr()
        assert not said.out
        assert "odd.csv: no row can be read; line 2: timestamp: expected unix seconds" in said.err
        assert "timestamp_ms" in said.err


def of_a_day(at: float) -> float:
    """Highest at 15:30, lowest at 03:30."""
    return 20 + 5 * math.cos(2 * math.pi * (at / 86_400 - 15.5 / 24))


def document(file: Path, rows: Iterable[str], capsys: pytest.CaptureFixture[str], **options: Any) -> dict[str, Any]:
    file.write_text("\n".join(["metric_name,timestamp,value", *rows]) + "\n")
    assert run_analyze(file, Catalogue(), options.get("local", UTC_TIME), as_json=True) == 0
    report: dict[str, Any] = json.loads(capsys.readouterr().out)
    return report


@pytest.mark.parametrize(
    "spans",
    [[(30, 300)], [(90, 120)], [(365, 600)], [(20, 300), (4, 10)]],
    ids=["a month", "a season", "a year", "five minutes, then ten seconds"],
)
def test_a_long_file_is_looked_at_by_the_hours_of_the_day(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    spans: list[tuple[int, int]],
) -> None:
    monkeypatch.setattr(analyze_command, "look_back", lambda *given: Retrospect())  # takes its time
    times, begin = [np.empty(0, np.int64)], MIDNIGHT
    for days, step in spans:
        times.append(np.arange(begin, begin + days * 86_400, step))
        begin += days * 86_400
    noise = np.random.default_rng(5)
    rows = (f"cabin,{at},{of_a_day(at) + noise.normal(0, 0.5):.3f}" for at in np.concatenate(times).tolist())
    report = document(tmp_path / "a.csv", rows, capsys)
    [pattern] = report["patterns"]
    assert "follows the day: highest around 15:30, lowest around 03:30" in pattern["description"]
    assert len(report["forecasts"]) == 3
    for each in report["forecasts"]:
        assert each["value"] == pytest.approx(of_a_day(each["timestamp"]), abs=0.3)


def test_the_grid_is_that_of_the_service() -> None:
    times = MIDNIGHT * 1000 + 20_000 * np.arange(20_000)
    values = np.arange(20_000.0)
    values[5] = -1.0
    gauge = MetricSpec(plausible_low=0.0)
    at, means = _on_the_grid(times, values, gauge)
    assert (at[:2] - times[0]).tolist() == [30_000, 90_000]
    assert means[:2].tolist() == [1.0, 3.5]  # the implausible one is left out
    at, readings = _on_the_grid(times, np.arange(20_000.0), MetricSpec(kind="counter"))
    assert (at[:2] - times[0]).tolist() == [40_000, 100_000]
    assert readings[:2].tolist() == [2.0, 5.0]


def both(file: Path, rows: Iterable[str], capsys: pytest.CaptureFixture[str]) -> tuple[dict[str, Any], str]:
    """The document and the words, of a coach in Denver."""
    denver = LocalTime(ZoneInfo("America/Denver"))
    report = document(file, rows, capsys, local=denver)
    assert run_analyze(file, Catalogue(), denver, as_json=False) == 0
    return report, capsys.readouterr().out


def test_words_have_one_clock_and_all_digits(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    noise = np.random.default_rng(5)
    times = range(MIDNIGHT, MIDNIGHT + 14 * 86_400, 900)
    rows = [f"bytes,{at},{1e9 + of_a_day(at) + noise.normal(0, 0.5):.3f}" for at in times]
    rows[-2] = f"bytes,{times[-2]},{1e9 + 400}"
    report, words = both(tmp_path / "a.csv", rows, capsys)
    [seen] = report["anomalies"]
    assert f"{seen['time']}  bytes  {seen['kind']}  score" in words
    assert f"value 1000000400, usually {seen['expected_low']:.0f} to {seen['expected_high']:.0f}\n" in words
    assert seen["time"].endswith("-07:00")
    said = words.partition("Forecasts: 3\n")[2].splitlines()
    for each, line in zip(report["forecasts"], said, strict=True):
        assert line.split()[0].endswith("-07:00")
        assert f"  {each['value']:.15g} ({each['low']:.15g} to {each['high']:.15g}, 95%); hourly mean" in line


def test_words_tell_correlations(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    course = np.convolve(np.random.default_rng(5).normal(size=1_020), np.ones(8), "same")
    rows = [f"a,{MIDNIGHT + 60 * index},{course[index + 10]:.4f}" for index in range(1_000)]
    rows += [f"b,{MIDNIGHT + 60 * index},{-course[index]:.4f}" for index in range(1_000)]
    report, words = both(tmp_path / "a.csv", rows, capsys)
    [pair] = report["correlations"]
    assert pair["lag_seconds"] == 600
    assert f"Correlations: 1\n  a  b  {pair['coefficient']:.4f}, a leads by 10 min\n" in words


def test_words_tell_when_a_level_is_reached(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    catalogue = Catalogue([MetricSpec(pattern="tank.*", role="fresh_tank", unit="%", kind="gauge")])
    file = tmp_path / "a.csv"
    rows = (f"tank.fresh,{MIDNIGHT + 900 * index},{100 - 0.1 * index:.1f}" for index in range(700))
    file.write_text("\n".join(["metric_name,timestamp,value", *rows]) + "\n")
    assert run_analyze(file, catalogue, UTC_TIME, as_json=True) == 0
    [each] = json.loads(capsys.readouterr().out)["forecasts"]
    assert run_analyze(file, catalogue, UTC_TIME, as_json=False) == 0
    early, late = (
        datetime.fromtimestamp(each[end], UTC).isoformat(timespec="minutes") for end in ("earliest", "latest")
    )
    assert f"tank.fresh  reaches 0 ({early} to {late}, 90%); time to empty" in capsys.readouterr().out
    assert "reaches 0 (" in _forecast_words({**each, "latest": None}, UTC_TIME)
    assert "to perhaps not within 60 days, 90%)" in _forecast_words({**each, "latest": None}, UTC_TIME)
