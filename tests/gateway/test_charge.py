"""What gateway/charge.py promises: every query that reads points is paid by whoever asks."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import gateway.rest
from gateway.app import create_app
from gateway.auth.access import Access
from gateway.auth.limits import Limits
from gateway.auth.verifier import Verifier
from storage.models import SeriesPart
from tests.fakes.backend import make_backend

NOW_MS = 1_760_000_000_000
FLAGS = {"analytics_dashboard": {"enabled": True}, "analytics_dashboard_enhanced": {"enabled": True}}
QUERIES = (
    "/api/analytics/trends?time_window_hours=2&resolution=1m",
    "/api/analytics/historical?time_window_hours=2",
    "/api/analytics/aggregation?aggregation_windows=1h",
    "/api/analytics/charts?metrics=a,b",
    "/api/analytics/correlations?time_window_hours=2",
    "/api/analytics/cycles?metric=a",
    "/api/analytics/metrics/a/data?resolution=raw",
    "/api/analytics/export?metrics=a",
)


@pytest.mark.parametrize("query", QUERIES)
async def test_who_asks_pays_by_the_point(query: str) -> None:
    asked_s = 0.0
    backend = make_backend(
        lambda: NOW_MS,
        FLAGS,
        access=Access(
            Verifier("none", wall_ms=lambda: NOW_MS), limits=Limits(1e9, 0.01, 1e6, now_s=lambda: asked_s)
        ),
        ready=True,
    )  # fmt: skip
    times = NOW_MS - 10_000 * np.arange(600, -1, -1, dtype=np.int64)
    for seq, name in enumerate(("a", "b"), start=1):
        values = np.sin(np.arange(601) / 20) + seq
        backend.memory.append(SeriesPart(name, times, values), seq=seq, now_ms=NOW_MS)
    client = create_app(backend).test_client()
    answer = await client.get(query)
    assert answer.status_code == 200, await answer.get_data()
    await answer.get_data()
    answer = await client.get(query)
    assert answer.status_code == 429
    asked_s = float(answer.headers["Retry-After"])
    assert (await client.get(query)).status_code == 200


def test_whoever_reads_history_charges_for_it() -> None:
    folder = Path(gateway.rest.__file__).parent
    reading = {path.name for path in folder.glob("*.py") if re.search(r"history\.(buckets|window)\(", path.read_text())}
    charging = {path.name for path in folder.glob("*.py") if re.search(r"charge\(|\.pay\(", path.read_text())}
    assert {"trends.py", "historical.py", "aggregation.py", "charts.py", "relations.py", "series.py"} <= reading
    assert reading <= charging
