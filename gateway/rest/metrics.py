"""POST /api/analytics/metrics and /metrics/batch: samples in.

Promises
- A sample is answered for once it is in memory; with ack=durable once it survives a power cut.
- A full recorder costs 250 ms and a 503 with Retry-After: nothing of that body was taken, sending it again is
  right.
- Sending again is always harmless: a sample at the time of a kept one replaces it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, NoReturn

import msgspec
from quart import Response, request

from .. import schemas
from ..answers import Answer, problems
from ..backend import Backend
from ..bodies import read_body
from ..compute import in_thread
from ..ingest import Intake, MalformedBodyError, RefusedBodyError, decode_batch, decode_sample
from ..ingest_checks import check_batch, check_sample
from ..problems import Problem
from ..routes import Route, json_response
from ..writing import Outcome, record, summed_up, until_durable, wants_durable

BATCH_PATH: Final = "/api/analytics/metrics/batch"
INLINE_CHECK_BYTES: Final = 16_384  # a larger body is checked slowly in a thread


async def record_custom_metric(backend: Backend, query: schemas.metrics.WriteQuery) -> Response:
    durable = wants_durable(backend, query)
    intake = await _read(backend, decode_sample, check_sample)
    recorded = await record(backend, intake)
    outcome = summed_up(intake, recorded)
    if outcome.rejected:
        _refuse(outcome, single=True)
    if durable:
        await until_durable(backend, recorded.seq, outcome)
    did = "Replaced the sample at the same time of" if outcome.duplicates else "Recorded"
    return json_response({"success": True, "message": f"{did} {intake.parts[0].name}"})


async def record_batch(backend: Backend, query: schemas.metrics.WriteQuery) -> Response:
    durable = wants_durable(backend, query)
    intake = await _read(backend, decode_batch, check_batch)
    if not intake.parts:
        outcome = Outcome(rejected=intake.rejected, errors=list(intake.errors))
        if outcome.rejected:
            _refuse(outcome)
        return json_response(outcome.as_json())
    return Response(await write_batch(backend, intake, durable=durable), content_type="application/json")


async def write_batch(backend: Backend, intake: Intake, *, durable: bool = False) -> bytes:
    """Record what is in `intake` and return the encoded answer. Raises Problem."""
    recorded = await record(backend, intake)
    outcome = summed_up(intake, recorded)
    if outcome.rejected and not outcome.accepted + outcome.duplicates:
        _refuse(outcome)
    if durable:
        await until_durable(backend, recorded.seq, outcome)
    return msgspec.json.encode(outcome.as_json())


async def _read(
    backend: Backend,
    decode: Callable[[bytes, int], Intake | None],
    check: Callable[[bytes, int], Intake],
) -> Intake:
    backend.access.check_amount(request.scope, "samples")
    intake = await _decode(backend, decode, check)
    backend.access.pay(request.scope, "samples", sum(map(len, intake.parts)) + intake.rejected)
    return intake


async def _decode(
    backend: Backend,
    decode: Callable[[bytes, int], Intake | None],
    check: Callable[[bytes, int], Intake],
) -> Intake:
    body = await read_body()
    now_ms = backend.wall_ms()
    intake = decode(body, now_ms)
    if intake is not None:
        return intake
    try:
        if len(body) <= INLINE_CHECK_BYTES:
            return check(body, now_ms)
        return await in_thread(check, body, now_ms)
    except MalformedBodyError as error:
        raise Problem(400, f"The body is {error}") from error
    except RefusedBodyError as error:
        errors = [{"pointer": pointer, "message": message} for pointer, message in error.errors]
        raise Problem(422, str(error), errors=errors) from error


def _refuse(outcome: Outcome, *, single: bool = False) -> NoReturn:
    """Nothing was taken: 429 when only the cap stood in the way, else 422."""
    status = 429 if outcome.capped == outcome.rejected else 422
    first = outcome.errors[0].message
    if single:
        member = re.split(r"[: ]", first, maxsplit=1)[0]  # every reason begins with the member it is about
        message = first.removeprefix(f"{member}: ")
        raise Problem(status, first, errors=[{"pointer": f"/{member}", "message": message}])
    more = f" (and {outcome.rejected - 1} more)" if outcome.rejected > 1 else ""
    raise Problem(status, f"No sample was taken: {first}{more}", **outcome.as_json())


_WRITE_HEADERS: Final = {"Prefer": "`wait` asks for the same as ack=durable"}
_DETAILS: Final = {
    400: "The body is not JSON at line 1 column 14: Expecting value",
    404: "Analytics dashboard disabled",
    409: "Persistence is off: no sample can be made durable. Nothing was recorded.",
    422: "value: expected a finite number, got NaN",
    429: "metric_name: there are already 5000 metrics: no room for a new one",
    503: "The recorder does not keep up. Nothing was recorded: send it again",
}
_WRITE_PROBLEMS: Final = (400, 404, 408, 409, 413, 415, 422, 429, 500, 503)
_DURABLE: Final = (
    "The answer comes once the samples are in memory; with `ack=durable` (or `Prefer: wait`) once they are "
    "committed to disk. Sending the same samples again is harmless: at equal times the last value wins."
)

ROUTES: Final = (
    Route(
        method="POST",
        path="/api/analytics/metrics",
        handler=record_custom_metric,
        summary="Record one sample",
        description=f"{_DURABLE} Without `timestamp` the time of arrival counts.",
        tag="Writing",
        query=lambda: schemas.metrics.WriteQuery,
        bodies=lambda: (schemas.metrics.CustomMetricRequest,),
        body_examples={
            "one sample": {"metric_name": "battery.house.voltage", "value": 13.1, "timestamp": 1760000000.0}
        },
        headers=_WRITE_HEADERS,
        answers=lambda: {
            200: Answer(
                "Recorded",
                schemas.metrics.RecordMetricResponse,
                example={"success": True, "message": "Recorded battery.house.voltage"},
            ),
            **problems(*_WRITE_PROBLEMS, details=_DETAILS),
        },
        gated=True,
        scope="ingest",
    ),
    Route(
        method="POST",
        path=BATCH_PATH,
        handler=record_batch,
        summary="Record many samples",
        description=(
            f"{_DURABLE} Rows or columns; columns are several times quicker. A bad sample is refused alone, "
            "named in `errors`, and the rest is kept: 200. When nothing at all could be taken: 422, or 429 "
            "when only the limit on the number of metrics stood in the way, with the same members. Of "
            "several `metadata` of one metric in a body the last is kept. A body may hold 1 MiB."
        ),
        tag="Writing",
        query=lambda: schemas.metrics.WriteQuery,
        bodies=lambda: (schemas.metrics.RowsRequest, schemas.metrics.ColumnsRequest),
        body_examples={
            "rows": {
                "samples": [
                    {"metric_name": "tank.fresh.level", "value": 62.5, "timestamp": 1760000000.0},
                    {"metric_name": "tank.gray.level", "value": 31.0, "metadata": {"source": "can0"}},
                ]
            },
            "columns": {
                "series": [
                    {
                        "metric_name": "solar.power",
                        "timestamps": [1760000000.0, 1760000005.0],
                        "values": [412.0, 409.5],
                    }
                ]
            },
        },
        headers=_WRITE_HEADERS,
        answers=lambda: {
            200: Answer(
                "All or some were recorded",
                schemas.metrics.BatchResponse,
                example={
                    "accepted": 1,
                    "rejected": 1,
                    "duplicates": 0,
                    "errors": [{"index": 1, "message": "value: expected a finite number, got NaN"}],
                },
            ),
            **problems(*_WRITE_PROBLEMS, details=_DETAILS),
        },
        gated=True,
        scope="ingest",
    ),
)
