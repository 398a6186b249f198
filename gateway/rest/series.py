"""GET /api/analytics/metrics/{name}/data: the samples of one metric, or their buckets, as JSON or CSV.

A JSON answer holds at most MAX_ROWS rows, whatever is asked for. A longer one is cut at its end, and says where
the next begins: `next_start`, and a Link header (rel="next"). CSV is sent whole, a page at a time: what it takes in
memory does not depend on its length.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from functools import partial
from typing import Any, Final
from urllib.parse import quote, urlencode

import numpy as np
from msgspec import Struct
from quart import Response, request

from storage.grid import means
from storage.models import EMPTY_WINDOW, Buckets, Window, joined_window

from .. import schemas
from ..answers import Answer, problems
from ..backend import Backend
from ..compute import in_thread
from ..headers import UNBUFFERED
from ..names import check_known
from ..problems import Problem
from ..rounding import numbers, seconds
from ..routes import Route, json_response
from ..steps import STEP_MS, count_of

MAX_ROWS: Final = 20_000
INLINE_ROWS: Final = 2_000  # more are put together in a thread
DEFAULT_SPAN_MS: Final = 86_400_000
DEFAULT_POINTS: Final = 2_000  # without resolution and max_points
READ_AT_ONCE: Final = 20_000  # samples: reading fewer costs a trip to the archive each time
COLUMNS: Final = ("timestamp", "value", "min", "max", "count")


class Rows(Struct, frozen=True):
    """Columns of the answer; min, max and count are None for raw samples."""

    times: Sequence[float]
    values: Sequence[float]
    lows: Sequence[float] | None = None
    highs: Sequence[float] | None = None
    counts: Sequence[int] | None = None

    def points(self) -> list[dict[str, Any]]:
        if self.lows is None or self.highs is None or self.counts is None:
            return [{"timestamp": t, "value": v} for t, v in zip(self.times, self.values, strict=True)]
        return [
            {"timestamp": t, "value": v, "min": low, "max": high, "count": n}
            for t, v, low, high, n in zip(self.times, self.values, self.lows, self.highs, self.counts, strict=True)
        ]

    def columns(self) -> list[Sequence[float]]:
        """Those there are, in the order of COLUMNS."""
        return [each for each in (self.times, self.values, self.lows, self.highs, self.counts) if each is not None]

    def csv(self, *, header: bool = True) -> bytes:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\r\n")  # RFC 4180
        columns = self.columns()
        if header:
            writer.writerow(COLUMNS[: len(columns)])
        writer.writerows(zip(*columns, strict=True))
        return text.getvalue().encode()


class Found(Struct, frozen=True):
    data: Window | Buckets
    next_ms: int | None
    complete: bool
    reason: str | None


class BrokenDownload(Exception):
    """What a download needs cannot be read."""


async def get_metric_data(backend: Backend, query: schemas.metrics.DataQuery, name: str) -> Response:
    start_ms, end_ms = span_of(backend, query, name)
    resolution, found = await _find(backend, name, query, start_ms, end_ms)
    if not len(found.data):
        await check_known(backend, [name])
    backend.access.pay(request.scope, "points", len(found.data))
    rows = _rows(found.data) if len(found.data) <= INLINE_ROWS else await in_thread(_rows, found.data)
    next_s = None if found.next_ms is None else found.next_ms / 1000
    if query.format == "csv" or (query.format is None and _prefers_csv()):
        body = rows.csv() if len(found.data) <= INLINE_ROWS else await in_thread(rows.csv)
        file_name = re.sub(r"[^A-Za-z0-9._-]+", "_", name) + ".csv"
        content: bytes | AsyncIterator[bytes] = body
        if found.next_ms is not None and query.max_points is None:  # a file is whole, however long
            content, next_s = _csv_from(backend, name, resolution, body, found.next_ms, end_ms, request.scope), None
        response = Response(content, content_type="text/csv; charset=utf-8; header=present")
        response.headers.update(UNBUFFERED)
        response.headers["Content-Disposition"] = f'attachment; filename="{file_name}"'
    else:
        response = json_response(
            {
                "metric_name": name,
                "unit": backend.catalogue.spec(name).unit,
                "resolution": resolution,
                "start": start_ms / 1000,
                "end": end_ms / 1000,
                "data_points": rows.points(),
                "next_start": next_s,
                "complete": found.complete,
                "incomplete_reason": found.reason,
            }
        )
    response.headers["Vary"] = "Accept"
    if next_s is not None:
        kept = {key: value for key, value in request.args.items() if key not in ("start", "end", "resolution")}
        following = urlencode({"start": next_s, "end": end_ms / 1000, "resolution": resolution, **kept})
        response.headers["Link"] = f'<{quote(request.path)}?{following}>; rel="next"'
    return response


async def _csv_from(
    backend: Backend, name: str, resolution: str, first: bytes, start_ms: int, end_ms: int, scope: Mapping[str, Any]
) -> AsyncIterator[bytes]:
    """The first page, and those after it as fast as they are read: one page in memory at a time."""
    yield first
    async for rows in pages(backend, name, resolution, start_ms, end_ms, scope):
        yield await in_thread(partial(rows.csv, header=False))


async def pages(
    backend: Backend, name: str, resolution: str, start_ms: int, end_ms: int, scope: Mapping[str, Any]
) -> AsyncIterator[Rows]:
    """Everything in [start, end), a page at a time, on the account of the request with this ASGI `scope`.

    Raises BrokenDownload when the archive cannot be read: an answer that breaks off is better than one that looks
    whole.
    """
    at_ms: int | None = start_ms
    while at_ms is not None:
        if resolution == "raw":
            found = await raw_samples(backend, name, at_ms, end_ms, MAX_ROWS)
        else:
            found = await summed_up(backend, name, at_ms, end_ms, STEP_MS[resolution])
        if not found.complete:
            raise BrokenDownload(f"{name}: {found.reason}")
        backend.access.pay(scope, "points", len(found.data))
        if len(found.data):
            yield await in_thread(_rows, found.data)
        at_ms = found.next_ms


def span_of(
    backend: Backend, query: schemas.metrics.DataQuery | schemas.metrics.ColumnsQuery, name: str
) -> tuple[int, int]:
    """[start, end) of the question. Raises Problem."""
    now_ms = backend.wall_ms()
    latest = backend.memory.latest_of(name)
    # Clocks differ a little: a sample just ahead of ours belongs to "until now".
    latest_ms = now_ms if latest is None else latest.time_ms
    end_ms = max(now_ms, latest_ms) + 1 if query.end is None else round(query.end * 1000)
    start_ms = end_ms - DEFAULT_SPAN_MS if query.start is None else round(query.start * 1000)
    if start_ms >= end_ms:
        raise Problem(
            422, "start: must be before end", errors=[{"parameter": "start", "message": "must be before end"}]
        )
    return max(0, start_ms), end_ms


async def _find(
    backend: Backend, name: str, query: schemas.metrics.DataQuery, start_ms: int, end_ms: int
) -> tuple[str, Found]:
    """What to show, and at which resolution."""
    if query.resolution == "raw":
        return "raw", await raw_samples(backend, name, start_ms, end_ms, min(MAX_ROWS, query.max_points or MAX_ROWS))
    if query.resolution is not None:
        most = min(MAX_ROWS, query.max_points or MAX_ROWS)
        return query.resolution, await summed_up(backend, name, start_ms, end_ms, STEP_MS[query.resolution], most)
    points = query.max_points or DEFAULT_POINTS
    raw = await raw_samples(backend, name, start_ms, end_ms, points)
    if raw.next_ms is None:
        return "raw", raw
    for resolution, step_ms in STEP_MS.items():
        if count_of(start_ms, end_ms, step_ms) <= points:
            return resolution, await summed_up(backend, name, start_ms, end_ms, step_ms)
    return "1d", await summed_up(backend, name, start_ms, end_ms, STEP_MS["1d"], points)


async def raw_samples(backend: Backend, name: str, start_ms: int, end_ms: int, limit: int) -> Found:
    """The oldest `limit` samples. Reads about as many as it returns, however long the span is."""
    windows: list[Window] = []
    held, at_ms = 0, start_ms
    complete, reason = True, None
    while at_ms < end_ms and held <= limit:
        until_ms = await backend.history.bound(name, at_ms, end_ms, max(limit + 1 - held, READ_AT_ONCE))
        read = await backend.history.window([name], at_ms, until_ms)
        window = read.windows.get(name, EMPTY_WINDOW)
        windows.append(window)
        held += len(window)
        complete, reason = complete and read.complete, reason or read.reason
        at_ms = until_ms
    whole = joined_window([each.times for each in windows], [each.values for each in windows])
    next_ms = int(whole.times[limit]) if len(whole) > limit else None
    return Found(Window(whole.times[:limit], whole.values[:limit]), next_ms, complete, reason)


async def summed_up(
    backend: Backend, name: str, start_ms: int, end_ms: int, step_ms: int, most: int = MAX_ROWS
) -> Found:
    """The oldest buckets, at most `most`. A page begins where there is something: one without rows is the last."""
    if count_of(start_ms, end_ms, step_ms) > most:
        first = await raw_samples(backend, name, start_ms, end_ms, 1)
        start_ms = int(first.data.times[0]) if isinstance(first.data, Window) and len(first.data) else end_ms - 1
    next_ms = start_ms - start_ms % step_ms + most * step_ms
    read = await backend.history.buckets([name], start_ms, min(end_ms, next_ms), step_ms)
    buckets = read.buckets.get(name)
    if buckets is None:
        empty, none = np.empty(0, np.int64), np.empty(0, np.float64)
        buckets = Buckets(step_ms, empty, empty, none, none, none)
    more = next_ms < end_ms and len((await raw_samples(backend, name, next_ms, end_ms, 1)).data) > 0
    return Found(buckets, next_ms if more else None, read.complete, read.reason)


def _rows(data: Window | Buckets) -> Rows:
    if isinstance(data, Window):
        return Rows(seconds(data.times), data.values.tolist())
    return Rows(
        seconds(data.starts),
        numbers(means(data)),
        numbers(data.minimum),
        numbers(data.maximum),
        data.count.tolist(),
    )


def _prefers_csv() -> bool:
    accept = request.accept_mimetypes
    return accept["text/csv"] > accept["application/json"]


ROUTES: Final = (
    Route(
        method="GET",
        path="/api/analytics/metrics/<path:name>/data",
        handler=get_metric_data,
        summary="Data of one metric",
        description=f"""Samples or buckets in [`start`, `end`), times strictly rising.

`resolution=raw` is every sample kept, as it came; where samples were thinned to keep the budget (see /storage), a row
is the mean of a minute or an hour at its start. Otherwise a point is the mean of the samples in a bucket,
with their minimum, maximum and count; buckets lie on multiples of their width since 1970 (days are UTC days): the
first and the last may be partial, empty ones are left out. Without `resolution` the finest is taken that fits
`max_points` (default {DEFAULT_POINTS}).

A JSON answer holds at most {MAX_ROWS} rows. When there are more, `next_start` (and a `Link` header with
rel="next") says where to go on. CSV is sent whole, however long it is, unless `max_points` bounds it.

Any name works in the path, percent-encoded where it must be; a slash need not be.""",
        tag="Metrics",
        query=lambda: schemas.metrics.DataQuery,
        path_parameters={"name": "Name of the metric"},
        headers={"Accept": "text/csv for CSV"},
        answers=lambda: {
            200: Answer(
                "The data",
                schemas.metrics.MetricDataResponse,
                also=("text/csv",),
                example={
                    "metric_name": "battery.house.voltage",
                    "unit": "V",
                    "resolution": "1h",
                    "start": 1759996800.0,
                    "end": 1760000400.0,
                    "data_points": [
                        {"timestamp": 1759996800.0, "value": 13.12, "min": 12.98, "max": 13.4, "count": 7200}
                    ],
                    "next_start": None,
                    "complete": True,
                    "incomplete_reason": None,
                },
                headers={"Link": 'Where the next page is, rel="next"'},
            ),
            **problems(
                404,
                422,
                500,
                details={404: "No metric is called battery.hose.voltage", 422: "start: must be before end"},
            ),
        },
        gated=True,
    ),
)
