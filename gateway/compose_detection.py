"""What the composition root hands to the actors for detection: watchlists, the false-alarm budget, the kept state."""

from __future__ import annotations

from functools import partial
from typing import Any

from analytics.streaming import Watchlist
from conf.settings import Settings
from storage.detector_state import DetectorState

from .backend import Backend


def recorder_parts(settings: Settings, backend: Backend) -> dict[str, Any]:
    """The recorder's arguments that have to do with detection."""
    return {
        "make_watchlist": partial(
            Watchlist, backend.catalogue, backend.local_time, backend.budget, limit=settings.max_metrics
        ),
        "state": DetectorState(settings.db_path.with_suffix(".detectors")),
    }
