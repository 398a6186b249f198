"""Who asks: whose preferences and layouts are meant, and whose name stands in the journal."""

from __future__ import annotations

from typing import Final

LOCAL: Final = "local"  # without authentication there is one user


def user() -> str:
    """The name of whoever asks."""
    return LOCAL
