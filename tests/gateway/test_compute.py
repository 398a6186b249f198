"""Heavy functions run in a bounded number of threads."""

from __future__ import annotations

import threading

import pytest
import trio

from gateway.compute import THREADS, in_thread


async def test_results_and_errors_come_back() -> None:
    assert await in_thread(divmod, 7, 2) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        await in_thread(divmod, 7, 0)


async def test_no_more_than_so_many_at_a_time() -> None:
    running, most = 0, 0
    lock = threading.Lock()
    barrier = threading.Barrier(THREADS, timeout=10)

    def work() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        barrier.wait()
        with lock:
            running -= 1

    async with trio.open_nursery() as nursery:
        for _ in range(3 * THREADS):
            nursery.start_soon(in_thread, work)
    assert most == THREADS
