"""Starts the service with a last child that takes its time to stop: `lingering_service.py serve ...`.

It is asked to stop first and takes LINGER_S for that, so that the stop of the whole service can be watched.
"""

from __future__ import annotations

import os
import sys
from functools import partial
from typing import Final

import trio

from actors.supervisor import ChildSpec
from gateway import cli, service

LINGER_S: Final = 60.0


async def linger(*, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
    task_status.started()
    await trio.sleep_forever()


def wait_for_it() -> None:
    """Being asked to stop is all it hears."""


SPEC: Final = ChildSpec(name="lingering", run=linger, stop=wait_for_it, stop_within_s=LINGER_S)

if __name__ == "__main__":
    service.run_service = partial(service.run_service, extra_children=(SPEC,))
    sys.exit(cli.main(sys.argv[1:], os.environ))
