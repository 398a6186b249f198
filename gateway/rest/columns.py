"""GET /api/analytics/metrics/{name}/columns: all samples of one metric over a month in one answer, as columns.

For programs that calculate. Promises: the same samples as /data, bit for bit; up to 300,000 in one answer, which is
made in a thread, a slice at a time, and paid for by its points, eight of them as one row of /data.
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote, urlencode

import msgspec
from quart import Response, request

from storage.grid import means
from storage.models import Buckets, Window

from .. import schemas
from ..answers import Answer, problems
from ..backend import Backend
from ..compute import in_thread
from ..names import check_known
from ..number_text import Text, seconds_pieces, values_pieces
from ..rounding import numbers
from ..routes import Route
from ..steps import STEP_MS
from .series import MAX_ROWS, raw_samples, span_of, summed_up

PER_ROW: Final = 8  # points in columns that cost what one row of /data costs


async def get_metric_columns(backend: Backend, query: schemas.metrics.ColumnsQuery, name: str) -> Response:
    start_ms, end_ms = span_of(backend, query, name)
    if query.resolution == "raw":
        found = await raw_samples(backend, name, start_ms, end_ms, query.limit)
    else:
        most = min(MAX_ROWS, query.limit)
        found = await summed_up(backend, name, start_ms, end_ms, STEP_MS[query.resolution], most)
    if not len(found.data):
        await check_known(backend, [name])
    backend.access.pay(request.scope, "points", len(found.data) / PER_ROW)
    next_s = None if found.next_ms is None else found.next_ms / 1000
    document = {
        "metric_name": name,
        "unit": backend.catalogue.spec(name).unit,
        "resolution": query.resolution,
        "start": start_ms / 1000,
        "end": end_ms / 1000,
        "next_start": next_s,
        "complete": found.complete,
        "incomplete_reason": found.reason,
    }
    response = Response(await in_thread(_encoded, document, found.data), content_type="application/json")
    if next_s is not None:
        kept = {"resolution": query.resolution, "limit": query.limit}
        following = urlencode({"start": next_s, "end": end_ms / 1000, **kept})
        response.headers["Link"] = f'<{quote(request.path)}?{following}>; rel="next"'
    return response


def _encoded(document: dict[str, Any], data: Window | Buckets) -> bytes:
    columns: dict[str, list[Text]]
    if isinstance(data, Window):
        columns = {"timestamps": seconds_pieces(data.times), "values": values_pieces(data.values)}
    else:
        columns = {
            "timestamps": seconds_pieces(data.starts),
            "values": [msgspec.json.encode(numbers(means(data)))[1:-1]],
            "minimums": [msgspec.json.encode(numbers(data.minimum))[1:-1]],
            "maximums": [msgspec.json.encode(numbers(data.maximum))[1:-1]],
            "counts": [msgspec.json.encode(data.count.tolist())[1:-1]],
        }
    pieces: list[Text] = [msgspec.json.encode(document)[:-1]]
    for name, column in columns.items():
        pieces += [f',"{name}":['.encode(), *column, b"]"]
    return b"".join((*pieces, b"}"))


ROUTES: Final = (
    Route(
        method="GET",
        path="/api/analytics/metrics/<path:name>/columns",
        handler=get_metric_columns,
        summary="Data of one metric, as columns",
        description="""Every sample in [`start`, `end`), oldest first: the same as /data with `resolution=raw`, as two
lists of one length, which is quicker to make and to read. Up to 300,000 samples come in one answer: a month at one in
10 s. When there are more, `next_start` (and a `Link` header with rel="next") says where to go on. With another
`resolution` the lists are buckets, as in /data, and as many at most.""",
        tag="Metrics",
        query=lambda: schemas.metrics.ColumnsQuery,
        path_parameters={"name": "Name of the metric"},
        answers=lambda: {
            200: Answer(
                "The data",
                schemas.metrics.MetricColumnsResponse,
                example={
                    "metric_name": "battery.house.voltage",
                    "unit": "V",
                    "resolution": "raw",
                    "start": 1759996800.0,
                    "end": 1760000400.0,
                    "timestamps": [1759996800.012, 1759996809.988],
                    "values": [13.12, 13.11],
                    "next_start": None,
                    "complete": True,
                    "incomplete_reason": None,
                },
                headers={"Link": 'Where the next part is, rel="next"'},
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
