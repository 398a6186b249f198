"""The manifest of the built dashboard decides what there is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gateway.site import MANIFEST, load_site


def write(folder: Path, entry: dict[str, object]) -> None:
    (folder / MANIFEST).write_text(json.dumps({"a.js": entry}))


GOOD = {"media_type": "text/javascript", "etag": "1", "encodings": ["gzip", "br"], "immutable": True}


def test_without_a_build_there_is_no_site(tmp_path: Path) -> None:
    assert load_site(tmp_path) is None


def test_the_best_encoding_that_is_accepted_and_there(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    site = load_site(tmp_path)
    assert site is not None
    assert site.choose("a.js", lambda coding: True) == (tmp_path / "a.js.br", "br")
    assert site.choose("a.js", lambda coding: coding == "gzip") == (tmp_path / "a.js.gz", "gzip")
    assert site.choose("a.js", lambda coding: False) == (tmp_path / "a.js", None)
    write(tmp_path, {**GOOD, "encodings": ["gzip"]})
    site = load_site(tmp_path)
    assert site is not None
    assert site.choose("a.js", lambda coding: True) == (tmp_path / "a.js.gz", "gzip")


@pytest.mark.parametrize("entry", [{**GOOD, "etag": 1}, {**GOOD, "surprise": 1}, {"etag": "1"}])
def test_a_manifest_that_is_not_ours_is_named(tmp_path: Path, entry: dict[str, object]) -> None:
    write(tmp_path, entry)
    with pytest.raises(ValueError, match=r"manifest\.json"):
        load_site(tmp_path)
