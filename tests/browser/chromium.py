"""Finding the system's Chromium; installing Debian's where a test run may (as root, under CI)."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import Final

NAMES: Final = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
# No sandbox: the tests run as root in containers, and open nothing but our own page.
FLAGS: Final = ("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--force-color-profile=srgb")


def find_chromium() -> str | None:
    """Its path: $CHROMIUM, what is on the PATH, or what apt-get could install just now."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if found is None and os.environ.get("CI") and shutil.which("apt-get") and os.geteuid() == 0:
        for words in (("update",), ("install", "--yes", "--no-install-recommends", "chromium")):
            subprocess.run(["apt-get", "--quiet", *words], check=False, stdin=subprocess.DEVNULL)
        found = shutil.which("chromium")
    return found
