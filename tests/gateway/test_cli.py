"""The command line: what each command hands on, and how it ends."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from conf.settings import PREFIX, Settings
from gateway import cli, service
from gateway.cli import main
from gateway.version import VERSION

ROOT = Path(cli.__file__).parent.parent


@pytest.fixture
def run(capsys):
    """Exit code, stdout, stderr."""

    def run(*arguments: str, **environ: str) -> tuple[int, str, str]:
        code = main(arguments, {PREFIX + name: text for name, text in environ.items()})
        return code, *capsys.readouterr()

    return run


@pytest.fixture
def served(monkeypatch):
    """What run_service was asked for."""
    calls = []

    def run_service(settings, flags, *, origin, extra_children=()):
        calls.append((settings, flags, origin))
        return 70

    monkeypatch.setattr(service, "run_service", run_service)
    return calls


@pytest.mark.parametrize("buffering", [1, -1])  # met in the middle of a line, or at the end
def test_who_reads_no_further_ends_a_command_without_a_traceback(monkeypatch, buffering):
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w", buffering) as out:
        monkeypatch.setattr(sys, "stdout", out)
        assert main(["check"], {}) == 1


def test_check_prints_every_setting_with_value_and_origin(run, tmp_path):
    code, out, err = run("check", PORT="81", CONF_DIR=str(tmp_path), CLEANUP_INTERVAL="60", PERSISTENCE="true")
    assert (code, err) == (0, "")
    rows = {line.split()[0]: line.split()[1:] for line in out.splitlines() if line}
    assert rows[PREFIX + "PORT"] == ["81", "environment:", PREFIX + "PORT"]
    assert rows[PREFIX + "CLEANUP_INTERVAL_SECONDS"] == ["60", "environment:", PREFIX + "CLEANUP_INTERVAL"]
    assert rows[PREFIX + "DB_PATH"] == ["data/analytics.db", "default"]
    assert rows[PREFIX + "CONF_DIR"][0] == str(tmp_path)
    assert sum(name.startswith("COACHIQ_") for name in rows) == len(Settings.__slots__)
    assert rows["persistence"] == ["on"]
    assert rows["analytics_dashboard_enhanced"] == ["on", "analytics_dashboard"]


@pytest.mark.parametrize("command", ["check", "serve", "demo", "import"])
@pytest.mark.parametrize(
    ("name", "text"),
    [("PORT", "eighty"), ("MEMORY_RETENTION_HOUR", "2"), ("HOST", "0.0.0.0"), ("SQLITE_BATCH_SIZE", "0")],
)
def test_a_bad_setting_ends_with_78_and_one_line_that_names_it(run, command, name, text):
    arguments = [command, "file.csv"] if command == "import" else [command]
    code, out, err = run(*arguments, **{name: text})
    assert (code, out) == (78, "")
    assert err.startswith(f"coachiq-analytics: {PREFIX}{name}: ")
    assert err.count("\n") == 1


@pytest.mark.parametrize("name", ["metrics.yaml", "rules.yaml", "feature_flags.yaml"])
def test_a_broken_file_ends_with_78_and_is_named(run, tmp_path, name):
    (tmp_path / name).write_text("a: [")
    code, _, err = run("check", CONF_DIR=str(tmp_path))
    assert code == 78
    assert name in err
    assert err.count("\n") == 1


def test_serve_runs_the_service_and_ends_as_it_does(run, served):
    code, _, _ = run("serve", PERSISTENCE="true")
    assert code == 70
    settings, flags, origin = served[0]
    assert settings == Settings(persistence=True)
    assert flags.enabled("persistence")
    assert origin["persistence"] == PREFIX + "PERSISTENCE"


def test_options_go_over_variables(run, served):
    run("serve", "--host", "127.0.0.2", "--port", "82", PORT="81", HOST="0.0.0.0")
    settings, _, origin = served[0]
    assert (settings.host, settings.port) == ("127.0.0.2", 82)
    assert (origin["host"], origin["port"]) == ("--host", "--port")


@pytest.mark.parametrize(
    ("option", "text"), [("--port", "65536"), ("--port", "x"), ("--host", "0.0.0.0"), ("--host", "")]
)
def test_a_bad_option_ends_with_78_and_names_the_option(run, served, option, text):
    code, _, err = run("serve", option, text)
    assert code == 78
    assert err.startswith(f"coachiq-analytics: {option}: ")
    assert served == []


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["dance"],
        ["serve", "--prot", "1"],
        ["demo", "--days", "-1"],
        ["demo", "--speed", "0"],
        ["demo", "--speed", "nan"],
        ["demo", "--seed", "x"],
        ["replay"],
        ["replay", "a.csv", "--speed", "-1"],
        ["import"],
    ],
)
def test_usage_errors_end_with_2(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        main(arguments, {})
    assert caught.value.code == 2
    assert "usage: coachiq-analytics" in capsys.readouterr().err


def test_version_and_help(capsys):
    for arguments, expected in ((["--version"], VERSION), (["--help"], "replay"), (["demo", "--help"], "--speed")):
        with pytest.raises(SystemExit) as caught:
            main(arguments, {})
        assert caught.value.code == 0
        assert expected in capsys.readouterr().out


def test_an_interrupt_is_no_traceback(run, monkeypatch):
    def interrupted(asked, environ):
        raise KeyboardInterrupt

    monkeypatch.setitem(cli._COMMANDS, "check", interrupted)
    code, _, err = run("check")
    assert code == 1
    assert err == "coachiq-analytics: interrupted\n"


def test_as_a_module():
    done = subprocess.run(
        [sys.executable, "-m", "gateway", "check"],
        env={PREFIX + "PORTT": "1"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 78
    assert done.stderr == f"coachiq-analytics: {PREFIX}PORTT: no such setting; did you mean {PREFIX}PORT?\n"


def test_check_imports_no_server():
    code = (
        "import sys; from gateway.cli import main; main(['check'], {});"
        "print([name for name in ('hypercorn', 'quart', 'sqlite3') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "[]"


def test_openapi_prints_the_document_that_is_committed(run):
    code, out, err = run("openapi")
    assert (code, err) == (0, "")
    committed = (ROOT / "docs" / "openapi.json").read_text(encoding="utf-8")
    assert out == committed, "run: python -m gateway openapi > docs/openapi.json"
