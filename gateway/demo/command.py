"""The command `demo`: history first, then the service with a live coach beside it."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path

import trio

from actors.supervisor import ChildSpec
from conf.loader import load_flags
from conf.settings import DEFAULT, Settings, SettingsError, variable
from storage.archive import ArchiveError
from storage.sqlite_archive import open_sqlite_archive

from ..progress_bar import ProgressBar
from ..server import open_listening_socket
from ..service import run_service, wall_ms
from .coach import DAY_MS, Coach
from .credential import coach_token
from .faults import Fault, fresh_faults
from .history import UnfitArchiveError, write_history
from .live import LiveCoach
from .stand_in_core import StandInCore


def run_demo(settings: Settings, origin: Mapping[str, str], *, days: float, seed: int, speed: float) -> int:
    """Returns the service's exit code. Raises SettingsError."""
    if settings.port == 0:
        raise SettingsError(origin["port"] if origin["port"] != DEFAULT else variable("port"), "the demo needs a port")
    with ExitStack() as stack:
        if origin["db_path"] == DEFAULT:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="coachiq-analytics-demo-"))
            settings = replace(settings, db_path=Path(folder) / "analytics.db")
        settings = replace(settings, persistence=True)
        flags = load_flags(settings)
        now_ms = wall_ms()
        faults = fresh_faults(now_ms)
        try:
            coach = trio.run(partial(_prepare, settings.db_path, days, seed, now_ms, faults))
        except UnfitArchiveError as error:
            raise SettingsError(variable("db_path"), f"{settings.db_path} {error}") from error
        except ArchiveError as error:
            print(f"coachiq-analytics: {settings.db_path}: {error}", file=sys.stderr)
            return 1
        url = f"http://{_reachable(settings.host)}:{settings.port}"
        _introduce(coach, url, seed, days, speed, now_ms)
        token = stack.enter_context(coach_token(settings))
        live = LiveCoach(coach, url, speed=speed, wall_ms=wall_ms, token=token)
        children = [ChildSpec(name="simulated_coach", run=live.run)]
        if settings.core_url is None:
            core = StandInCore(stack.enter_context(open_listening_socket("127.0.0.1", 0)), coach.mend)
            settings = replace(settings, core_url=core.url)
            children.append(ChildSpec(name="stand_in_core", run=core.run, stop=core.stop))
        return run_service(
            settings,
            flags,
            origin={**origin, "persistence": "the demo", "core_url": "the demo"},
            extra_children=tuple(children),
        )


async def _prepare(db_path: Path, days: float, seed: int, now_ms: int, faults: tuple[Fault, ...]) -> Coach:
    archive = await open_sqlite_archive(db_path)
    try:
        with ProgressBar(f"writing {days:g} days of history", sys.stderr) as bar:
            coach = await write_history(
                archive,
                seed=seed,
                days=days,
                now_ms=now_ms,
                utc_offset_ms=time.localtime(now_ms / 1000).tm_gmtoff * 1000,
                faults=faults,
                progress=bar,
            )
            while await archive.compact(1):
                bar(1.0)
            return coach
    finally:
        with trio.CancelScope(shield=True), trio.move_on_after(10):
            await archive.aclose()


def _introduce(coach: Coach, url: str, seed: int, days: float, speed: float, now_ms: int) -> None:
    """What a person should know before the log begins."""
    pace = "" if speed == 1 else f", living at {speed:g} times our pace"
    print(f"A simulated coach (seed {seed}){pace}: nothing here is measured. Open {url}/")
    print("What goes wrong with it, for you to find:")
    for fault in coach.faults(now_ms - round(days * DAY_MS), now_ms + DAY_MS):
        start, end = (datetime.fromtimestamp(ms / 1000).astimezone() for ms in (fault.start_ms, fault.end_ms))
        print(f"  {start:%a %Y-%m-%d %H:%M} to {end:%a %H:%M}  {fault.metric:<22}{fault.sentence}")
    sys.stdout.flush()


def _reachable(host: str) -> str:
    """An address at which this machine reaches a service that listens on `host`."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    return f"[{host}]" if ":" in host else host
