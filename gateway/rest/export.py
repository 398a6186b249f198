"""GET /api/analytics/export: several metrics in one download, as CSV or JSON, the same rows as their charts.

Promises: what it takes in memory does not depend on its length: one page of one metric at a time. A cell of text that
a spreadsheet would take for a formula is not one. An archive that cannot be read breaks the download off.
"""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

import msgspec
from quart import Response, request

from .. import schemas
from ..answers import Answer, problems
from ..backend import Backend
from ..compute import in_thread
from ..headers import UNBUFFERED
from ..names import check_known, choose
from ..problems import Problem
from ..recording import guarded
from ..routes import Route
from .series import COLUMNS, DEFAULT_SPAN_MS, Rows, pages

MAX_METRICS: Final = 1_000


async def export_metrics(backend: Backend, query: schemas.metrics.ExportQuery) -> Response:
    end_ms = backend.wall_ms() + 1 if query.end is None else round(query.end * 1000)
    start_ms = max(0, end_ms - DEFAULT_SPAN_MS if query.start is None else round(query.start * 1000))
    if start_ms >= end_ms:
        errors = [{"parameter": "start", "message": "must be before end"}]
        raise Problem(422, "start: must be before end", errors=errors)
    chosen = await choose(backend, query.metrics, MAX_METRICS)
    if chosen.truncated:
        message = f"at most {MAX_METRICS} at once, these are {chosen.total}"
        raise Problem(422, f"metrics: {message}", errors=[{"parameter": "metrics", "message": message}])
    if query.metrics is not None:
        await check_known(backend, chosen.names)
    tell = _as_csv if query.format == "csv" else _as_json
    content = tell(backend, chosen.names, query.resolution, start_ms, end_ms, request.scope)
    kind = "text/csv; charset=utf-8; header=present" if query.format == "csv" else "application/json"
    response = Response(content, content_type=kind)
    response.headers.update(UNBUFFERED)
    response.headers["Content-Disposition"] = f'attachment; filename="coachiq-analytics.{query.format}"'
    return response


async def _as_csv(
    backend: Backend, names: list[str], resolution: str, start_ms: int, end_ms: int, scope: Mapping[str, Any]
) -> AsyncIterator[bytes]:
    columns = COLUMNS[:2] if resolution == "raw" else COLUMNS
    yield (",".join(("metric_name", *columns)) + "\r\n").encode()
    for name in names:
        async for rows in pages(backend, name, resolution, start_ms, end_ms, scope):
            yield await in_thread(_csv_rows, name, rows)


def _csv_rows(name: str, rows: Rows) -> bytes:
    text = io.StringIO()
    first = guarded(name)
    csv.writer(text, lineterminator="\r\n").writerows((first, *row) for row in zip(*rows.columns(), strict=True))
    return text.getvalue().encode()


async def _as_json(
    backend: Backend, names: list[str], resolution: str, start_ms: int, end_ms: int, scope: Mapping[str, Any]
) -> AsyncIterator[bytes]:
    head = msgspec.json.encode({"resolution": resolution, "start": start_ms / 1000, "end": end_ms / 1000})
    yield head[:-1] + b',"metrics":['
    for number, name in enumerate(names):
        about = msgspec.json.encode({"metric_name": name, "unit": backend.catalogue.spec(name).unit})
        yield (b"," if number else b"") + about[:-1] + b',"data_points":['
        is_first = True
        async for rows in pages(backend, name, resolution, start_ms, end_ms, scope):
            points = await in_thread(_json_rows, rows)
            yield points if is_first else b"," + points
            is_first = False
        yield b"]}"
    yield b"]}"


def _json_rows(rows: Rows) -> bytes:
    return msgspec.json.encode(rows.points())[1:-1]


ROUTES: Final = (
    Route(
        method="GET",
        path="/api/analytics/export",
        handler=export_metrics,
        summary="Several metrics as one file",
        description=f"""As CSV (`metric_name`, `timestamp`, `value`, for buckets also `min`, `max`, `count`) or JSON;
the rows are those of `/metrics/{{name}}/data` at the same `resolution`, metric after metric. Sent while it is read,
however long it is; a download that breaks off is not whole. Without `metrics` all there are, at most {MAX_METRICS}.
CSV of `raw` is what the command `import` takes. A name that a spreadsheet would take for a formula begins with an
apostrophe in CSV, which `import` takes off again.""",
        tag="Metrics",
        query=lambda: schemas.metrics.ExportQuery,
        answers=lambda: {
            200: Answer(
                "The data",
                schemas.metrics.ExportResponse,
                also=("text/csv",),
                example={
                    "resolution": "1h",
                    "start": 1759996800.0,
                    "end": 1760000400.0,
                    "metrics": [
                        {
                            "metric_name": "battery.house.voltage",
                            "unit": "V",
                            "data_points": [
                                {"timestamp": 1759996800.0, "value": 13.12, "min": 12.98, "max": 13.4, "count": 7200}
                            ],
                        }
                    ],
                },
            ),
            **problems(404, 422, 500, details={404: "No metric is called battery.hose.voltage"}),
        },
        gated=True,
    ),
)
