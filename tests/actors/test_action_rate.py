"""So many actions in so many seconds, and no more."""

from __future__ import annotations

import trio

from actors.action_rate import ActionRate


async def test_no_span_holds_more_than_the_rate_and_refusals_do_not_count(autojump_clock):
    rate = ActionRate(3, 60.0)
    begun_s = []
    for _ in range(300):
        if rate.take():
            begun_s.append(trio.current_time())
        await trio.sleep(1)
    assert begun_s[:3] == [0, 1, 2]
    assert len(begun_s) >= 3 * 300 // 63
    assert all(later - earlier > 60 for earlier, later in zip(begun_s, begun_s[3:], strict=False))


async def test_it_says_what_it_is(autojump_clock):
    assert str(ActionRate(10, 60.0)) == "10 actions within 60 s"
