"""The built dashboard on disk: which files it has, and in which encodings.

Owns the reading of `static/app/manifest.json`, which the dashboard's build writes, and the addresses of its pages.
Promises: only what stands in that manifest is ever read, whatever a request asks for; a file is told apart from its
next version by its name (assets) or its entity tag (the rest); without a build there is no site, and `load_site` says
so with None.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

FOLDER: Final = Path(__file__).parent / "static" / "app"
MANIFEST: Final = "manifest.json"
INDEX: Final = "index.html"
PAGES: Final = (
    "/",
    "/trends",
    "/insights",
    "/insights/<insight_id>",
    "/correlations",
    "/patterns",
    "/system",
    "/system/<path:topic>",
    "/settings",
    "/settings/<topic>",
)
ROOT_FILES: Final = ("/sw.js", "/app.webmanifest", "/icon.svg", "/icon-192.png", "/icon-512.png")
ASSETS: Final = "/assets/<name>"
SUFFIXES: Final = {"br": ".br", "gzip": ".gz"}  # content coding -> what its file's name ends in, best first


class SiteFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file as the build describes it."""

    media_type: str
    etag: str
    encodings: tuple[str, ...] = ()
    immutable: bool = False


class Site(Struct, frozen=True):
    """The files of one build, by their name below the site's root."""

    folder: Path
    files: Mapping[str, SiteFile]

    def choose(self, name: str, accepts: Callable[[str], bool]) -> tuple[Path, str | None]:
        """Where the bytes of `name` are in the best encoding that the client `accepts`, and which that is."""
        for encoding, suffix in SUFFIXES.items():
            if encoding in self.files[name].encodings and accepts(encoding):
                return self.folder / f"{name}{suffix}", encoding
        return self.folder / name, None


def load_site(folder: Path = FOLDER) -> Site | None:
    """The site built into `folder`; None when nothing has been built there. Raises ValueError for a manifest that is
    not one of ours."""
    try:
        text = (folder / MANIFEST).read_bytes()
    except FileNotFoundError:
        return None
    try:
        files = msgspec.json.decode(text, type=dict[str, SiteFile])
    except msgspec.MsgspecError as error:
        raise ValueError(f"{folder / MANIFEST}: {error}") from error
    return Site(folder, files)
