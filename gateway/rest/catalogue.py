"""GET /api/analytics/metrics: which metrics there are."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any, Final

import msgspec
from quart import Response

from analytics.catalogue import MetricSpec
from storage.models import SeriesInfo

from .. import schemas
from ..answers import Answer, problems
from ..backend import Backend
from ..influx_names import Source, name_of, source_of
from ..rounding import number
from ..routes import Route, json_response

DAY_MS: Final = 86_400_000
SEEN_ENOUGH_MS: Final = 60_000  # before that a rate per day is a guess,
SEEN_ENOUGH: Final = 10  # and before that many samples, too


async def list_metrics(backend: Backend, query: schemas.metrics.MetricsQuery) -> Response:
    infos = {info.name: info for info in backend.memory.infos()}
    names = sorted({*infos, *await backend.history.names()})
    if query.match is not None:
        pattern = query.match.replace("[", "[[]")  # a bracket is a letter of a name
        names = [name for name in names if fnmatchcase(name, pattern)]
    rest = names if query.cursor is None else [name for name in names if name > query.cursor]
    page = rest[: query.limit]
    now_ms = backend.wall_ms()
    return json_response(
        {
            "total": len(names),
            "metrics": [_entry(name, backend.catalogue.spec(name), infos.get(name), now_ms) for name in page],
            "next_cursor": page[-1] if len(rest) > len(page) else None,
        }
    )


def _entry(name: str, spec: MetricSpec, info: SeriesInfo | None, now_ms: int) -> dict[str, Any]:
    latest = info.latest if info else None
    said = _said(info)
    unit = said.get("unit")
    return {
        "name": name,
        "unit": spec.unit or (unit if isinstance(unit, str) else None),
        "kind": spec.kind,
        "role": spec.role,
        "title": spec.title,
        "last_value": number(latest.value) if latest else None,
        "last_timestamp": latest.time_ms / 1000 if latest else None,
        "samples": info.samples if info else 0,
        "bytes": info.bytes if info else 0,
        "bytes_per_day": _bytes_per_day(info, now_ms),
        "received": info.received if info else 0,
        "source": source_json(said.get("source"), name),
    }


def _said(info: SeriesInfo | None) -> dict[str, Any]:
    """What the sender told of the metric."""
    if info is None or info.metadata is None:
        return {}
    try:
        said = msgspec.json.decode(info.metadata)
    except msgspec.DecodeError:  # of an archive that something else wrote
        return {}
    return said if isinstance(said, dict) else {}


def source_json(said: object, name: str) -> dict[str, Any]:
    """The point that is written to `name`: the very one it came from where that is known, else one that would be."""
    try:
        source = msgspec.convert(said, Source)
        if name_of(source.measurement, source.field, source.tags) == name:
            return source.as_json()
    except msgspec.ValidationError:
        pass
    return source_of(name).as_json()


def _bytes_per_day(info: SeriesInfo | None, now_ms: int) -> float | None:
    if info is None or not info.samples or info.received < SEEN_ENOUGH:
        return None
    if now_ms - info.first_received_ms < SEEN_ENOUGH_MS:
        return None
    per_day = info.received * DAY_MS / (now_ms - info.first_received_ms)
    if info.first_ms is not None and info.last_ms is not None and info.first_ms < info.last_ms:
        # Older samples than their arrival came faster than they were taken: their own times say how many a day brings.
        per_day = min(per_day, info.samples * DAY_MS / (info.last_ms - info.first_ms))
    return number(info.bytes / info.samples * per_day)


ROUTES: Final = (
    Route(
        method="GET",
        path="/api/analytics/metrics",
        handler=list_metrics,
        summary="The metrics there are",
        description=(
            "Those in memory and those the archive holds, by name; unit, kind and role come from the "
            "catalogue of metrics, the unit else from what the sender says. Page with `limit` and `cursor`."
        ),
        tag="Metrics",
        query=lambda: schemas.metrics.MetricsQuery,
        answers=lambda: {
            200: Answer(
                "The metrics",
                schemas.metrics.MetricsResponse,
                example={
                    "total": 1,
                    "metrics": [
                        {
                            "name": "tank.fresh.level",
                            "unit": "%",
                            "kind": "gauge",
                            "role": "tank_supply",
                            "title": "Fresh water",
                            "last_value": 62.5,
                            "last_timestamp": 1760000000.0,
                            "samples": 7200,
                            "bytes": 115200,
                            "bytes_per_day": 1382400.0,
                            "received": 7200,
                            "source": {"measurement": "tank.fresh", "field": "level", "tags": {}},
                        }
                    ],
                    "next_cursor": None,
                },
            ),
            **problems(
                404,
                422,
                500,
                details={404: "Analytics dashboard disabled", 422: "limit: must be greater than or equal to 1"},
            ),
        },
        gated=True,
    ),
)
