"""Models are imported when one is first asked for, and never by the event loop's thread."""

from __future__ import annotations

import subprocess
import sys

import pytest

from gateway import schemas

PYDANTIC = "print([name for name in ('pydantic', 'gateway.schemas.trends') if name in sys.modules])"


def printed(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_a_service_is_composed_without_a_model() -> None:
    assert printed(f"import sys, gateway.service, gateway.cli; {PYDANTIC}") == "[]"


def test_a_topic_is_there_when_it_is_asked_for() -> None:
    said = printed(f"import sys; from gateway import schemas; schemas.trends.TrendsQuery; {PYDANTIC}")
    assert said == "['pydantic', 'gateway.schemas.trends']"


def test_a_wrong_name_is_an_error_that_says_so() -> None:
    with pytest.raises(AttributeError, match=r"module 'gateway\.schemas' has no attribute 'trend'"):
        _ = schemas.trend  # type: ignore[attr-defined]


def test_all_topics_are_imported_in_a_thread() -> None:
    program = (
        "import sys, threading, trio\n"
        "from gateway import schemas\n"
        "importers = set()\n"
        "class Spy:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.startswith('gateway.schemas.'):\n"
        "            importers.add(threading.current_thread() is threading.main_thread())\n"
        "sys.meta_path.insert(0, Spy())\n"
        "trio.run(schemas.loaded)\n"
        "print(importers, 'gateway.schemas.actions' in sys.modules)"
    )
    assert printed(program) == "{False} True"
