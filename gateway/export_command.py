"""The command `export`: samples of the database as CSV, to a file or to stdout, beside a running service."""

from __future__ import annotations

import contextlib
import gzip
import io
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import trio

from storage.archive import ArchiveError
from storage.sqlite_reader import open_to_read

from .exporter import Export, export_samples
from .progress_bar import ProgressBar


def run_export(
    file: Path | None, db_path: Path, *, start_ms: int | None, end_ms: int | None, metrics: Sequence[str]
) -> int:
    """`file` None: stdout. Returns the exit code: 0 when everything asked for was written."""
    if start_ms is not None and end_ms is not None and start_ms >= end_ms:
        print("coachiq-analytics: --start must lie before --end", file=sys.stderr)
        return 1
    try:
        with _target(file) as text:
            done = trio.run(_export, text, db_path, start_ms, end_ms, metrics)
            text.flush()
    except ArchiveError as error:
        print(f"coachiq-analytics: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        raise  # the reader of stdout has seen enough
    except OSError as error:
        print(f"coachiq-analytics: {file or 'stdout'}: {error.strerror}", file=sys.stderr)
        return 1
    for name in done.unknown:
        print(f"coachiq-analytics: no samples of {name} in that span", file=sys.stderr)
    print(f"{file or 'stdout'}: {done.rows:,} rows written; metrics: {done.metrics:,}", file=sys.stderr)
    return int(bool(done.unknown))


async def _export(
    text: TextIO, db_path: Path, start_ms: int | None, end_ms: int | None, metrics: Sequence[str]
) -> Export:
    archive = await open_to_read(db_path)
    try:
        with ProgressBar("export", sys.stderr) as bar:
            return await export_samples(archive, text, start_ms=start_ms, end_ms=end_ms, metrics=metrics, progress=bar)
    finally:
        with trio.CancelScope(shield=True), trio.move_on_after(10):
            await archive.aclose()


@contextmanager
def _target(file: Path | None) -> Iterator[TextIO]:
    """A file gets its name when it is whole; `.gz` is compressed."""
    if file is None:
        yield sys.stdout
        return
    partial = file.with_name(f"{file.name}.partial")
    try:
        with contextlib.ExitStack() as stack:
            raw = stack.enter_context(partial.open("wb"))
            data: io.RawIOBase | io.BufferedIOBase = raw
            if file.suffix == ".gz":
                data = stack.enter_context(gzip.GzipFile(fileobj=raw, mode="wb", compresslevel=5))
            yield stack.enter_context(io.TextIOWrapper(data, encoding="utf-8", newline=""))  # type: ignore[type-var]
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)
