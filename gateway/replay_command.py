"""The command `replay`: reads a recording, sends it, and prints the account."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import trio

from .client import HttpClient, UrlError
from .progress_bar import ProgressBar
from .recording import BadRow, RecordingError, Row, open_recording
from .replay import replay
from .sender import Account, GaveUpError

MAX_NAMED = 20


async def run_replay(file: Path, url: str, speed: float, keep_times: bool, token: str | None = None) -> int:
    """Returns the exit code: 0 when the service has every sample of the file."""
    try:
        client = HttpClient(url, token)
        rows, bad = read(file)
    except (UrlError, RecordingError) as error:
        print(f"coachiq-analytics: {error}", file=sys.stderr)
        await trio.lowlevel.checkpoint()
        return 1
    account, trouble, began = Account(), None, time.monotonic()
    async with client:
        with ProgressBar(f"replay {file.name}", sys.stderr) as bar:
            try:
                await replay(
                    rows,
                    client,
                    account,
                    speed=speed,
                    keep_times=keep_times,
                    now_ms=time.time_ns() // 1_000_000,
                    progress=bar,
                    troubled=Troubles(),
                )
            except GaveUpError as error:
                trouble = str(error)
    if trouble is not None:
        print(f"coachiq-analytics: gave up: {trouble}", file=sys.stderr)
    print("\n".join(report(account, len(rows), bad, time.monotonic() - began)))
    return int(bad > 0 or account.accepted + account.duplicates < len(rows))


def read(file: Path) -> tuple[list[Row], int]:
    """The rows of `file`, and how many cannot be read: the first of these are named on stderr. Raises
    RecordingError."""
    rows, bad = [], 0
    with open_recording(file) as recording:
        for row in recording:
            if isinstance(row, Row):
                rows.append(row)
                continue
            bad += 1
            name_bad_row(file, row, bad)
    return rows, bad


def name_bad_row(file: Path, row: BadRow, number: int) -> None:
    if number <= MAX_NAMED:
        print(f"{file}: line {row.line}: {row.problem}", file=sys.stderr)
    elif number == MAX_NAMED + 1:
        print(f"{file}: further bad rows are only counted", file=sys.stderr)


class Troubles:
    """Says on stderr why a body has to be sent again: each reason once."""

    def __init__(self) -> None:
        self._told: set[str] = set()

    def __call__(self, trouble: str) -> None:
        if trouble not in self._told:
            self._told.add(trouble)
            print(f"coachiq-analytics: {trouble}: trying again", file=sys.stderr, flush=True)


def report(account: Account, rows: int, bad: int, seconds: float) -> list[str]:
    """The account, for people: its lines add up to the rows of the file."""
    counts = {
        "accepted": account.accepted,
        "duplicates": account.duplicates,
        "rejected": account.rejected,
        "not sent": rows - account.samples + account.unsent,
        "unaccounted": account.unaccounted,
        "bad rows": bad,
    }
    sent = account.samples - account.unsent
    rate = sent / seconds if seconds > 0 else 0.0
    always = ("accepted", "duplicates", "rejected")
    again = f", {account.repeated} sent again" if account.repeated else ""
    lines = [
        f"{'rows':<12}{rows + bad:>12,}",
        *(f"{name:<12}{count:>12,}" for name, count in counts.items() if count or name in always),
        f"{sent:,} samples in {account.batches:,} requests{again}, {seconds:.1f} s ({rate:,.0f} samples/s)",
    ]
    lines += [f"  {count:,} rejected: {reason}" for reason, count in account.reasons.most_common(10)]
    return lines
