"""The command line: serve, demo, replay, import, openapi, check, token, audit, and those of storage_parsers.py.

Promises: exit codes 0 (done), 1 (not everything could be done, and why was said), 2 (no such command or
option), 70 (a supervisor gave up) and 78 (bad configuration: one line on stderr that names the variable).
Answers go to stdout, everything else to stderr. What runs a service is imported only by the commands that do.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Final

import trio

from conf.flags import FeatureFlags
from conf.loader import load_catalogue, load_flags, load_rules
from conf.settings import DEFAULT, Settings, SettingsError, check_settings, load_settings, parse_setting, variable

from .audit_command import add_audit_parser, run_audit
from .importing import uncollected
from .storage_parsers import STORAGE_COMMANDS, add_storage_parsers
from .token_command import add_token_parser, run_token
from .version import VERSION

EXIT_OK: Final = 0
EXIT_TROUBLE: Final = 1
EXIT_BAD_CONFIGURATION: Final = 78  # EX_CONFIG; systemd does not start it again
MAX_DAYS: Final = 400


def main(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run one command in this thread; returns the exit code. argparse exits by itself for --help and usage
    errors."""
    asked = _parser().parse_args(arguments)
    try:
        code = _COMMANDS[asked.command](asked, environ)
        sys.stdout.flush()
    except SettingsError as error:
        print(f"coachiq-analytics: {error}", file=sys.stderr)
        return EXIT_BAD_CONFIGURATION
    except KeyboardInterrupt:
        print("coachiq-analytics: interrupted", file=sys.stderr)
        return EXIT_TROUBLE
    except BrokenPipeError:  # `| head` has seen enough
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())  # or the interpreter flushes into the pipe once more
        os.close(nowhere)
        return EXIT_TROUBLE
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="coachiq-analytics",
        description="Embedded analytics for an RV: samples in, timely and trustworthy warnings out.",
        epilog="Settings are environment variables COACHIQ_ANALYTICS__*; `check` lists them all.",
    )
    parser.add_argument("--version", action="version", version=f"coachiq-analytics {VERSION}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    serve = commands.add_parser("serve", help="run the service")
    demo = commands.add_parser(
        "demo",
        help="run the service on a simulated coach",
        description="Writes a history of a simulated coach, then runs the service with live samples of it. Without "
        "COACHIQ_ANALYTICS__DB_PATH it lives in a temporary directory that is removed at the end; with it, a "
        "history that is there is continued.",
    )
    for command in (serve, demo):
        command.add_argument("--host", help=f"address to listen on (over {variable('host')})")
        command.add_argument("--port", help=f"port to listen on (over {variable('port')})")
    demo.add_argument("--days", type=_between(0, MAX_DAYS), default=30.0, help="length of the history (default 30)")
    demo.add_argument("--seed", type=int, default=1, help="which coach and weather: the same seed, the same world")
    demo.add_argument(
        "--speed",
        type=_between(0.01, 1000),
        default=1.0,
        help="how fast the coach lives from now on (default 1). Samples carry the time at which they are sent, so "
        "that at 60 an hour of its life is a minute in the charts",
    )

    replay = commands.add_parser("replay", help="send a recorded CSV to a running service")
    replay.add_argument("file", type=Path, help="CSV of metric_name, timestamp_ms or timestamp, value; .gz is fine")
    replay.add_argument("--url", default="http://127.0.0.1:8099", help="the service (default http://127.0.0.1:8099)")
    replay.add_argument(
        "--speed", type=_between(0, 100_000), default=1.0, help="1: as recorded (default); 0: as fast as it goes"
    )
    replay.add_argument("--keep-times", action="store_true", help="send the recorded times instead of shifting to now")

    replay.add_argument("--token", help="a token with the scope ingest, where the service asks for one")

    analyze = commands.add_parser(
        "analyze",
        help="anomalies, patterns and forecasts of a CSV, without a service",
        description="Judges every metric as if its samples came in one by one: nothing looks ahead.",
    )
    analyze.add_argument("file", type=Path, help="CSV of metric_name, timestamp, value, or of timestamp, value")
    analyze.add_argument("--json", action="store_true", help="print one JSON document instead of text")
    importing = commands.add_parser("import", help="write a recorded CSV into the database, without a service")
    importing.add_argument("file", type=Path, help="as for replay; times are kept")

    add_storage_parsers(commands)
    add_token_parser(commands)
    add_audit_parser(commands)
    commands.add_parser("openapi", help="print the OpenAPI document (docs/openapi.json is this)")
    commands.add_parser("check", help="print every setting, its value and where it comes from")
    return parser


def _between(low: float, high: float) -> Callable[[str], float]:
    def number(text: str) -> float:
        value = float(text)
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"expected a number from {low:g} to {high:g}, got {text}")
        return value

    return number


def _configured(asked: argparse.Namespace, environ: Mapping[str, str]) -> tuple[Settings, dict[str, str]]:
    """Settings with the options over them."""
    settings, origin = load_settings(environ, check=False)
    for name in ("host", "port"):
        text = getattr(asked, name, None)
        if text is not None:
            settings = replace(settings, **{name: parse_setting(name, text, spelled=f"--{name}")})
            origin[name] = f"--{name}"
    check_settings(settings, origin)
    return settings, origin


def _serve(asked: argparse.Namespace, environ: Mapping[str, str]) -> int:
    settings, origin = _configured(asked, environ)
    flags = load_flags(settings)
    with uncollected():
        from .service import run_service

    return run_service(settings, flags, origin=origin)


def _demo(asked: argparse.Namespace, environ: Mapping[str, str]) -> int:
    settings, origin = _configured(asked, environ)
    with uncollected():
        from .demo.command import run_demo

    return run_demo(settings, origin, days=asked.days, seed=asked.seed, speed=asked.speed)


def _replay(asked: argparse.Namespace, environ: Mapping[str, str]) -> int:
    from .replay_command import run_replay

    return trio.run(run_replay, asked.file, asked.url, asked.speed, asked.keep_times, asked.token)


def _import(asked: argparse.Namespace, environ: Mapping[str, str]) -> int:
    settings, _ = _configured(asked, environ)
    from storage.budget import Budget

    from .import_command import run_import

    budget = Budget(settings.storage_budget_bytes)
    return run_import(asked.file, settings.db_path, budget=budget, resolution_ms=settings.timestamp_resolution_ms)


def _analyze(asked: argparse.Namespace, environ: Mapping[str, str]) -> int:
    settings, _ = load_settings(environ, check=False)
    from .analyze_command import run_analyze
    from .composed import coach_time

    return run_analyze(asked.file, load_catalogue(settings.conf_dir), coach_time(settings), as_json=asked.json)


def _storage(asked: argparse.Namespace, environ: Mapping[str, str]) -> int:
    return STORAGE_COMMANDS[asked.command](asked, load_settings(environ, check=False)[0])


def _audit(asked: argparse.Namespace, environ: Mapping[str, str]) -> int:
    return run_audit(asked, load_settings(environ)[0])


def _token(asked: argparse.Namespace, environ: Mapping[str, str]) -> int:
    return run_token(asked, load_settings(environ)[0])


def _openapi(asked: argparse.Namespace, environ: Mapping[str, str]) -> int:
    from .app import document

    sys.stdout.write(document())
    return EXIT_OK


def _check(asked: argparse.Namespace, environ: Mapping[str, str]) -> int:
    settings, origin = _configured(asked, environ)
    flags = load_flags(settings)
    load_catalogue(settings.conf_dir)
    load_rules(settings.conf_dir)
    print("\n".join((*_settings_table(settings, origin), "", *_flags_table(flags))))
    return EXIT_OK


def _settings_table(settings: Settings, origin: Mapping[str, str]) -> list[str]:
    rows = [("setting", "value", "origin")]
    for each in fields(Settings):
        value, came = getattr(settings, each.name), origin[each.name]
        rows.append((variable(each.name), _printed(value), came if came == DEFAULT else f"environment: {came}"))
    return _table(rows)


def _flags_table(flags: FeatureFlags) -> list[str]:
    rows = [("feature flag", "state", "depends on")]
    for name, enabled in flags.states().items():
        rows.append((name, "on" if enabled else "off", ", ".join(flags.depends_on(name))))
    return _table(rows)


def _printed(value: object) -> str:
    match value:
        case None:
            return "-"
        case bool():
            return str(value).lower()
        case float():
            return f"{value:g}"
        case tuple():
            return ",".join(map(str, value)) or "-"
    return str(value)


def _table(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


_COMMANDS: Final = {
    "serve": _serve,
    "demo": _demo,
    "replay": _replay,
    "import": _import,
    "analyze": _analyze,
    "openapi": _openapi,
    "check": _check,
    "token": _token,
    "audit": _audit,
    **dict.fromkeys(STORAGE_COMMANDS, _storage),
}
