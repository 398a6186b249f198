"""The coach's time zone: by its IANA name, or as this machine is set; UTC where nobody knows.

Promises: `find_zone` knows every zone of the tz database, on a machine without one too (the package tzdata stands in);
`system_zone` always answers.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

LOCALTIME: Final = Path("/etc/localtime")
FOLDER: Final = "zoneinfo"  # what a link of LOCALTIME leads through


def find_zone(name: str) -> ZoneInfo:
    """The zone of this name. Raises ValueError."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:  # OSError: "Europe" is a folder
        raise ValueError("expected the name of a time zone, as America/Denver") from error


def system_zone(environ: Mapping[str, str] = os.environ, localtime: Path = LOCALTIME) -> ZoneInfo:
    """The zone this machine is set to: the variable TZ, else where /etc/localtime links to, else UTC.

    A TZ that is a rule and no name ("EST5EDT,M3.2.0,M11.1.0") is passed over: zoneinfo has no way to read it.
    """
    for name in (environ.get("TZ", "").removeprefix(":"), _linked(localtime), "UTC"):
        if name:
            try:
                return find_zone(name)
            except ValueError:
                continue
    raise AssertionError("tzdata has no UTC")


def _linked(localtime: Path) -> str:
    parts = localtime.resolve().parts
    return "/".join(parts[parts.index(FOLDER) + 1 :]) if FOLDER in parts else ""
