from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from analytics.catalogue import Catalogue
from analytics.local_time import UTC_TIME
from gateway.analyze_command import _words, run_analyze

START = 1_700_000_000


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
    assert "cabin  step  score" in out
    assert ", usually 1" in out


@pytest.mark.parametrize(("kind", "told"), [("step", True), ("shape", False), ("stuck", False)])
def test_a_range_is_told_of_what_left_it(kind: str, told: bool) -> None:
    seen = {
        "metric_name": "cabin", "time": "", "kind": kind, "score": 0.9, "value": 20.0, "expected_low": 18.0,
        "expected_high": 22.0,
    }  # fmt: skip
    report = {
        "file": "a.csv", "samples": 1, "bad_rows": 0, "metrics": ["cabin"], "anomalies": [seen], "patterns": [],
        "forecasts": [],
    }  # fmt: skip
    assert any("usually 18 to 22" in line for line in _words(report)) is told


def test_a_file_that_is_no_recording_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "odd.csv"
    file.write_text("a,b\n1,2\n")
    assert run_analyze(file, Catalogue(), UTC_TIME, as_json=True) == 1
    assert "expected one column" in capsys.readouterr().err
