"""Who asks: whose preferences and layouts are meant, and whose name stands in the journal."""

from __future__ import annotations

from typing import Final

from quart import request

from .auth.access import OUTCOME
from .auth.identity import Identity

LOCAL: Final = "local"  # without authentication there is one user


def user() -> str:
    """The name of whoever asks."""
    outcome = request.scope.get(OUTCOME)
    return (outcome.client if isinstance(outcome, Identity) else "") or LOCAL
