"""`export` on the command line: to stdout, to a file, compressed, and what is said."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from gateway.cli import main

CSV = "metric_name,timestamp,value\na,1780000000.123,-0.1\na,1780000001,1e+300\nb c,1780000000,5.0\n"


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    recording = tmp_path / "in.csv"
    recording.write_text(CSV)
    environ = {"COACHIQ_ANALYTICS__DB_PATH": str(tmp_path / "analytics.db")}
    assert main(["import", str(recording)], environ) == 0
    return environ


def test_to_stdout(environ: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    for arguments in (["export"], ["export", "-"]):
        assert main(arguments, environ) == 0
        assert capsys.readouterr().out == CSV


def test_to_a_file_and_a_compressed_one(environ: dict[str, str], tmp_path: Path) -> None:
    assert main(["export", str(tmp_path / "out.csv")], environ) == 0
    assert (tmp_path / "out.csv").read_text() == CSV
    assert main(["export", str(tmp_path / "out.csv.gz")], environ) == 0
    assert gzip.decompress((tmp_path / "out.csv.gz").read_bytes()).decode() == CSV
    assert not list(tmp_path.glob("*.partial"))


def test_a_span_in_either_spelling(environ: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    for start, end in (("1780000000.5", "1780000002"), ("2026-05-28T20:26:40.5", "2026-05-28T20:26:42Z")):
        assert main(["export", "--start", start, "--end", end, "--metrics", "a,b c"], environ) == 1
        said = capsys.readouterr()
        assert said.out == "metric_name,timestamp,value\na,1780000001,1e+300\n"
        assert "b c" in said.err


def test_a_span_that_ends_before_it_starts(
    environ: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for start, end in (("5", "3"), ("5", "5")):
        assert main(["export", str(tmp_path / "out.csv"), "--start", start, "--end", end], environ) == 1
        assert "--start must lie before --end" in capsys.readouterr().err
    assert not (tmp_path / "out.csv").exists()
    assert main(["export", "--metrics", "nope"], environ) == 1
    assert "no samples of nope" in capsys.readouterr().err


def test_a_name_with_a_comma(environ: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recording = tmp_path / "commas.csv"
    recording.write_text('metric_name,timestamp,value\n"d, e",1780000000,1\n')
    assert main(["import", str(recording)], environ) == 0
    capsys.readouterr()
    assert main(["export", "--metrics", r"d\, e,a", "--end", "1780000001"], environ) == 0
    assert capsys.readouterr().out == 'metric_name,timestamp,value\n"d, e",1780000000,1.0\na,1780000000.123,-0.1\n'
    with pytest.raises(SystemExit):
        main(["export", "--help"], environ)
    assert r"written \," in " ".join(capsys.readouterr().out.split())


def test_a_bad_time_is_named(environ: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["export", "--start", "yesterday"], environ)
    assert "yesterday" in capsys.readouterr().err


def test_without_a_database(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    environ = {"COACHIQ_ANALYTICS__DB_PATH": str(tmp_path / "none.db")}
    assert main(["export", str(tmp_path / "out.csv")], environ) == 1
    assert "no database" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_target_that_cannot_be_written(environ: dict[str, str], tmp_path: Path) -> None:
    assert main(["export", str(tmp_path / "no" / "out.csv")], environ) == 1
