"""The mailboxes behave as the table of edges says."""

from __future__ import annotations

import pytest

from actors.messages import EDGES, Flush, Pressure
from gateway.mailboxes import Mailboxes

BOXES = Mailboxes()


@pytest.mark.parametrize("name", Mailboxes.__struct_fields__)
def test_each_is_under_the_pressure_of_its_edges(name):
    mailbox = getattr(BOXES, name)
    assert mailbox.name == name
    # Messages with a reply block whatever the mailbox: their edges say so, the others say what the mailbox does.
    edges = {pressure for _, receiver, pressure in EDGES if receiver == name}
    assert mailbox._pressure in edges
    assert edges <= {mailbox._pressure, Pressure.BLOCK}


def test_two_flushes_become_one_that_hurries_when_either_does():
    mailbox = Mailboxes().persister
    mailbox.put_nowait(Flush(now=True))
    mailbox.put_nowait(Flush())
    assert (mailbox.statistics().depth, mailbox.statistics().conflated) == (1, 1)
