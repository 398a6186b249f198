"""What reaches beyond the process, as children."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from actors.core_link import CoreLink
from actors.health import HealthBoard
from actors.mailbox import Mailbox
from actors.messages import Pressure
from conf.settings import Settings
from conf.values import Secret
from gateway.auth.access import open_access
from gateway.links import link_children


def backend(**settings: Any) -> Any:
    return SimpleNamespace(
        settings=Settings(**settings),
        access=open_access(),
        core=None,
        board=HealthBoard(lambda: 0),
        wall_ms=lambda: 0,
        record_mailbox=Mailbox("recorder", capacity=1, pressure=Pressure.BLOCK),
    )


def test_nothing_reaches_out_unasked() -> None:
    alone = backend()
    assert link_children(alone) == ()
    assert alone.core is None


def test_the_core_is_linked_when_its_address_is_known() -> None:
    linked = backend(core_url="http://core:8000", core_token=Secret("t"))
    (child,) = link_children(linked)
    assert child.name == "core_link"
    assert isinstance(linked.core, CoreLink)
