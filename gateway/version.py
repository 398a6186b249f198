"""The version of the running code, for answers and pages."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Final


def _version() -> str:
    try:
        return version("coachiq-analytics")
    except PackageNotFoundError:  # run from a checkout that was never installed
        return "0.1.0"


VERSION: Final = _version()
