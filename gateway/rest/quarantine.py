"""/api/analytics/quarantine: samples that cannot be true, kept and left out of statistics; one call repairs them."""

from __future__ import annotations

from typing import Final

from quart import Response

from storage.models import SeriesPart, Window
from storage.quarantine import mended, scaled

from .. import schemas
from ..answers import Answer, problems
from ..backend import Backend
from ..bodies import read_model
from ..charge import charge
from ..ingest import Intake
from ..names import check_known, choose
from ..problems import Problem, printable
from ..rounding import known, number
from ..routes import Route, json_response
from ..writing import record

HOUR_MS: Final = 3_600_000
MAX_METRICS: Final = 500
LISTED: Final = 200  # points
MAX_POINTS: Final = 10_000  # that one call repairs
FURTHEST_MS: Final = 30 * 24 * HOUR_MS
AROUND_MS: Final = 6 * HOUR_MS  # how far a plausible neighbour is looked for
PATH: Final = "/api/analytics/quarantine"


async def get_quarantine(backend: Backend, query: schemas.quarantine.QuarantineQuery) -> Response:
    now_ms = backend.wall_ms()
    chosen = await choose(backend, query.metrics, MAX_METRICS)
    bounded = [name for name in chosen.names if backend.catalogue.plausible(name) != (None, None)]
    start_ms = now_ms - query.time_window_hours * HOUR_MS
    read = await backend.history.implausible(bounded, start_ms, now_ms + 1, LISTED)
    charge(backend, read.windows.values())
    return json_response(
        {
            "time_window_hours": query.time_window_hours,
            "total": sum(len(window) for window in read.windows.values()),
            "metrics": [_metric(backend, name, window) for name, window in read.windows.items()],
            "generated_at": now_ms / 1000,
            "truncated": chosen.truncated,
            "complete": read.complete,
            "incomplete_reason": read.reason,
        }
    )


async def repair_quarantine(backend: Backend) -> Response:
    asked = await read_model(schemas.quarantine.RepairRequest)
    name, now_ms = asked.metric_name, backend.wall_ms()
    if asked.start is not None and asked.start > (now_ms / 1000 if asked.end is None else asked.end):
        message = "must not lie after end"
        raise Problem(422, f"start: {message}", errors=[{"pointer": "/start", "message": message}])
    plausible = backend.catalogue.plausible(name)
    await check_known(backend, [name])
    if plausible == (None, None):
        raise Problem(409, f"Nothing is known of what {printable(name)} can be: none of its samples are in quarantine")
    start_ms = now_ms - FURTHEST_MS if asked.start is None else round(asked.start * 1000)
    end_ms = now_ms + 1 if asked.end is None else round(asked.end * 1000) + 1
    start_ms = max(start_ms, now_ms - FURTHEST_MS)
    read = await backend.history.implausible([name], start_ms, end_ms, MAX_POINTS)
    bad = read.windows.get(name)
    if not read.complete:
        raise Problem(503, f"Not all samples can be read now: {read.reason}. Nothing was repaired",
                      headers={"Retry-After": "10"})  # fmt: skip
    good = None
    if bad is not None and asked.factor:
        good = scaled(bad, asked.factor, plausible)
    elif bad is not None:
        around = await backend.history.window(
            [name], int(bad.times[0]) - AROUND_MS, int(bad.times[-1]) + AROUND_MS, 2 * MAX_POINTS
        )
        good = mended(bad, around.windows[name], plausible)
    if good is not None and len(good):
        part = SeriesPart(name, good.times, good.values)
        done = await record(backend, Intake((part,), (range(len(part)),), columns=True))
        refused = done.parts[0].rejected
        if refused:
            raise Problem(409, f"{len(refused)} points could not be written again: {refused[0][1]}")
    was = {} if bad is None else dict(zip(bad.times.tolist(), bad.values.tolist(), strict=True))
    listed = [] if good is None else list(zip(good.times.tolist(), good.values.tolist(), strict=True))
    return json_response(
        {
            "metric_name": name,
            "method": asked.method,
            "found": len(was),
            "repaired": len(listed),
            "points": [
                {"timestamp": time_ms / 1000, "was": known(was[time_ms]), "now": known(value)}
                for time_ms, value in listed[-LISTED:]
            ],
        }
    )


def _metric(backend: Backend, name: str, window: Window) -> dict[str, object]:
    low, high = backend.catalogue.plausible(name)
    return {
        "metric_name": name,
        "unit": backend.catalogue.spec(name).unit,
        "plausible_low": number(low),
        "plausible_high": number(high),
        "points": [
            {"timestamp": time_ms / 1000, "value": known(value)}
            for time_ms, value in zip(window.times.tolist(), window.values.tolist(), strict=True)
        ],
    }


ROUTES: Final = (
    Route(
        method="GET",
        path=PATH,
        handler=get_quarantine,
        summary="Samples in quarantine",
        description=(
            "Samples outside what their metric can plausibly be (the catalogue's range): the sensor is wrong, not the "
            "coach. They are kept as they came and are in raw data; trends, aggregation, patterns, forecasts and the "
            f"detectors leave them out. The newest {LISTED} of each metric are listed."
        ),
        tag="Analysis",
        query=lambda: schemas.quarantine.QuarantineQuery,
        answers=lambda: {
            200: Answer(
                "The quarantine",
                schemas.quarantine.QuarantineResponse,
                example={
                    "time_window_hours": 24,
                    "total": 1,
                    "metrics": [
                        {
                            "metric_name": "fridge.temperature",
                            "unit": "°C",
                            "plausible_low": -30.0,
                            "plausible_high": 60.0,
                            "points": [{"timestamp": 1760000000.0, "value": -127.0}],
                        }
                    ],
                    "generated_at": 1760000100.0,
                    "truncated": False,
                    "complete": True,
                    "incomplete_reason": None,
                },
            ),
            **problems(
                404,
                422,
                500,
                details={
                    404: "Analytics dashboard disabled",
                    422: "time_window_hours: must be less than or equal to 720",
                },
            ),
        },
        gated=True,
    ),
    Route(
        method="POST",
        path=f"{PATH}/repair",
        handler=repair_quarantine,
        summary="Repair the samples of a metric that are in quarantine",
        description=(
            "Writes new values at the times of the implausible ones of the last 30 days, in memory and archive: on "
            "the line between their plausible neighbours (within six hours), or multiplied by a factor, for a unit "
            "that had changed. What is still implausible then stays as it is. The answer says what had been there; "
            f"writing that again undoes the repair. At most {MAX_POINTS} points a call, the newest first."
        ),
        tag="Analysis",
        bodies=lambda: (schemas.quarantine.RepairRequest,),
        body_examples={"interpolate": {"metric_name": "fridge.temperature"}},
        answers=lambda: {
            200: Answer(
                "What was repaired",
                schemas.quarantine.RepairResponse,
                example={
                    "metric_name": "fridge.temperature",
                    "method": "interpolate",
                    "found": 1,
                    "repaired": 1,
                    "points": [{"timestamp": 1760000000.0, "was": -127.0, "now": 4.1}],
                },
            ),
            **problems(
                400,
                404,
                408,
                409,
                413,
                415,
                422,
                500,
                503,
                details={
                    404: "No metric is called fridge.temprature",
                    409: "Nothing is known of what light.one can be: none of its samples are in quarantine",
                    422: "factor: is needed with scale, not 0, and has no meaning otherwise",
                    503: "Not all samples can be read now: the disk is full. Nothing was repaired",
                },
            ),
        },
        gated=True,
    ),
)
