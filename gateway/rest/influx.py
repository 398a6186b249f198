"""POST /api/v2/write and /write, GET /ping: what agents that speak InfluxDB's line protocol need.

Promises: as everywhere, a bad line is refused alone and the rest is kept; the answer is then Influx's partial write
error. A compressed body is unpacked within a bound, never past it.
"""

from __future__ import annotations

import zlib
from typing import Any, Final

from quart import Response, request

from .. import schemas
from ..answers import Answer, problems
from ..backend import Backend
from ..compute import in_thread
from ..line_protocol import PRECISIONS, Lines, read_lines
from ..problems import Problem, printable
from ..routes import Route
from ..version import VERSION
from ..writing import Outcome, record, summed_up, until_durable, wants_durable

MAX_PLAIN_BYTES: Final = 4 * 1024 * 1024  # of a body once it is unpacked
BROKEN_OFF: Final = "broken off"
INLINE_BYTES: Final = 16_384  # a larger body is read in a thread


async def influx_v2_write(backend: Backend, query: schemas.metrics.InfluxWriteQuery) -> Response:
    return await _write(backend, query)


async def influx_v1_write(backend: Backend, query: schemas.metrics.InfluxWriteQuery) -> Response:
    return await _write(backend, query)


def influx_ping(backend: Backend) -> Response:
    response = Response(b"", 204, {"X-Influxdb-Version": f"coachiq-analytics-{VERSION}", "X-Influxdb-Build": "OSS"})
    del response.headers["Content-Type"]
    return response


async def _write(backend: Backend, query: schemas.metrics.InfluxWriteQuery) -> Response:
    durable = wants_durable(backend, schemas.metrics.WriteQuery(ack=query.ack))
    backend.access.check_amount(request.scope, "samples")
    precision = query.precision or "ns"
    if precision not in PRECISIONS:
        raise Problem(400, f"precision: expected one of {', '.join(PRECISIONS)}, got {printable(precision)!r}")
    body = await _plain_body()
    now_ms = backend.wall_ms()
    try:
        if len(body) <= INLINE_BYTES:
            lines = read_lines(body, precision, now_ms)
        else:
            lines = await in_thread(read_lines, body, precision, now_ms)
    except UnicodeDecodeError as error:
        raise Problem(400, f"The body is not UTF-8 at byte {error.start}") from error
    intake = lines.intake
    backend.access.pay(request.scope, "samples", sum(map(len, intake.parts)) + intake.rejected)
    outcome = Outcome(rejected=intake.rejected, errors=list(intake.errors))
    if intake.parts:
        recorded = await record(backend, intake)
        outcome = summed_up(intake, recorded)
        if durable:
            await until_durable(backend, recorded.seq, outcome)
    if outcome.rejected:
        raise _partial(outcome, lines)
    response = Response(b"", 204)
    del response.headers["Content-Type"]
    if lines.skipped:
        response.headers["X-Skipped-Fields"] = str(lines.skipped)
    return response


def _partial(outcome: Outcome, lines: Lines) -> Problem:
    """Some lines, or all, were refused: Influx's words, and its 400 for a metric too many as well. To 429 an agent
    sends the same lines again and again, and nothing that comes after them."""
    errors = [{"line": error.index, "message": error.message} for error in outcome.errors]
    first = outcome.errors[0]
    text = printable(lines.texts.get(first.index or 0, ""))
    said = f"unable to parse '{text}': {first.message}" if text else first.message
    message = f"partial write: {said} (line {first.index}) dropped={outcome.rejected}"
    return Problem(400, message, errors=errors, line=first.index)


async def _plain_body() -> bytes:
    """Raises Problem 400, 413, 415."""
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    body = await request.get_data(cache=False, as_text=False, parse_form_data=False)
    if encoding in ("identity", ""):
        return body
    if encoding not in ("gzip", "x-gzip"):
        raise Problem(415, f"Content-Encoding {printable(encoding)!r} is not known here: send gzip, or plain")
    try:
        return (
            await in_thread(unpacked, body, MAX_PLAIN_BYTES)
            if len(body) > INLINE_BYTES
            else unpacked(body, MAX_PLAIN_BYTES)
        )
    except OverflowError as error:
        raise Problem(
            413, f"The body is larger than {MAX_PLAIN_BYTES} bytes once unpacked: send it in parts"
        ) from error
    except zlib.error as error:
        cut = str(error) == BROKEN_OFF
        raise Problem(400, "The body ends in the middle of its gzip data" if cut else "The body is not gzip") from error


def unpacked(body: bytes, limit: int) -> bytes:
    """The content of gzip members. Raises zlib.error, and OverflowError past `limit` bytes; no more are made."""
    plain = bytearray()
    while body:
        member = zlib.decompressobj(wbits=31)
        plain += member.decompress(body, limit + 1 - len(plain))
        if len(plain) > limit:
            raise OverflowError(limit)
        if not member.eof:
            raise zlib.error(BROKEN_OFF)
        body = member.unused_data
    return bytes(plain)


_NAMES: Final = """The metric of a field is `measurement.field`, or the measurement alone for a field called
`value`; tags follow in braces, sorted: `cpu.usage{core=0;host=pi}`. `%`, `,`, `{` and `}` are percent-encoded, in
tags `=` and `;` too. GET /api/analytics/metrics gives `source` {measurement, field, tags} back.

Floats, integers, unsigned and booleans (1 and 0) are kept; strings are skipped and counted in `X-Skipped-Fields`. A
bad line is refused alone. `db`, `org`, `bucket`, `rp` and `consistency` are ignored. The token may come as
`Authorization: Token`, Bearer or Basic (as password), or as `p`. A body may hold 1 MiB, and 4 MiB once unpacked."""


def _answers() -> dict[int, Answer]:
    return {
        204: Answer(
            "Everything was recorded", media_type="", headers={"X-Skipped-Fields": "How many strings were not kept"}
        ),
        **problems(400, 404, 408, 409, 413, 415, 422, 429, 500, 503),
    }


def _write_route(path: str, handler: Any, what: str) -> Route:
    return Route(
        method="POST",
        path=path,
        handler=handler,
        summary=f"Write points in InfluxDB's line protocol ({what})",
        description=_NAMES,
        tag="Writing",
        query=lambda: schemas.metrics.InfluxWriteQuery,
        text_body="tank,name=fresh level=62.5 1760000000000000000\n",
        headers={
            "Content-Encoding": "gzip, where the body is packed",
            "Prefer": "`wait` asks for the same as ack=durable",
        },
        answers=_answers,
        scope="ingest",
        gated=True,
    )


ROUTES: Final = (
    _write_route("/api/v2/write", influx_v2_write, "2.x"),
    _write_route("/write", influx_v1_write, "1.x"),
    Route(
        method="GET",
        path="/ping",
        handler=influx_ping,
        summary="Is somebody there",
        description="As InfluxDB answers it. Needs no token.",
        tag="Writing",
        answers=lambda: {204: Answer("Yes", media_type="", headers={"X-Influxdb-Version": "Whose"}), **problems(500)},
    ),
)
