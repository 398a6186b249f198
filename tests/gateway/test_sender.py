"""Delivery: what is sent again, what is not, and an account that always adds up."""

from __future__ import annotations

import msgspec
import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.client import Answer, PeerError, UnreachableError
from gateway.sender import MAX_REASONS, Account, GaveUpError, deliver


class FakeClient:
    """Gives the answers of a list, in order; None: never answers."""

    url = "http://coach"

    def __init__(self, *answers: Answer | Exception | None) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def request(self, method: str, target: str, body: bytes = b"") -> Answer:
        await trio.lowlevel.checkpoint()
        self.asked += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer is None:
            await trio.sleep_forever()
        if isinstance(answer, Exception):
            raise answer
        assert answer is not None
        return answer


def counted(accepted: int, duplicates: int = 0, rejected: int = 0, status: int = 200, *messages: str) -> Answer:
    errors = [{"index": 0, "message": message} for message in messages]
    counts = {"accepted": accepted, "duplicates": duplicates, "rejected": rejected}
    return Answer(status, {}, msgspec.json.encode({**counts, "errors": errors, "detail": "No sample was taken"}))


BUSY = Answer(503, {"retry-after": "1"}, b'{"detail": "The recorder does not keep up"}')


async def test_a_service_that_is_not_there_at_the_start_is_given_up_at_once(autojump_clock):
    client, account = FakeClient(UnreachableError("http://coach: Connection refused")), Account()
    with pytest.raises(GaveUpError, match="Connection refused"):
        await deliver(client, b"{}", 5, account, must_reach=True)  # type: ignore[arg-type]
    assert (client.asked, account.unsent, account.unaccounted) == (1, 5, 0)


async def test_a_service_that_goes_away_later_is_waited_for_and_the_trouble_told_once(autojump_clock):
    gone = UnreachableError("http://coach: Connection refused")
    client, account, told = FakeClient(counted(5), gone, gone, counted(5)), Account(), []
    for _ in range(2):
        await deliver(client, b"{}", 5, account, troubled=told.append)  # type: ignore[arg-type]
    assert (client.asked, account.accepted, account.repeated) == (4, 10, 2)
    assert told == ["http://coach: Connection refused"]


async def sent(*answers, samples=5, patience_s=60.0):
    client, account = FakeClient(*answers), Account()
    try:
        await deliver(client, b"{}", samples, account, patience_s=patience_s)  # type: ignore[arg-type]
    finally:
        assert account.unaccounted == 0
    return client, account


async def test_the_answer_is_the_account():
    _, account = await sent(counted(2, 1, 2, 200, "value: expected a finite number, got NaN"))
    assert (account.samples, account.accepted, account.duplicates, account.rejected) == (5, 2, 1, 2)
    assert account.reasons == {
        "value: expected a finite number, got NaN": 1,
        "not listed by the service": 1,
    }


async def test_a_batch_refused_as_a_whole_is_rejected_by_its_reasons():
    for status in (422, 429):
        _, account = await sent(counted(0, 0, 5, status, *["metric_name: missing"] * 5))
        assert (account.rejected, account.unsent) == (5, 0)
        assert account.reasons == {"metric_name: missing": 5}


@pytest.mark.parametrize("status", [400, 413, 422])
async def test_a_body_that_can_never_be_taken_is_rejected(status):
    client, account = await sent(Answer(status, {}, b'{"detail": "The body is not JSON"}'))
    assert client.asked == 1
    assert account.reasons == {"The body is not JSON": 5}


async def test_a_busy_service_is_asked_again_after_its_pause(autojump_clock):
    begun = trio.current_time()
    client, account = await sent(BUSY, BUSY, counted(5))
    assert trio.current_time() - begun == pytest.approx(2)
    assert (client.asked, account.accepted, account.repeated) == (3, 5, 2)


@pytest.mark.parametrize(
    "trouble",
    [
        PeerError("refused"),
        Answer(502, {}, b""),
        Answer(504, {}, b"<html>"),
        Answer(503, {"retry-after": "Tue, 1"}, b""),
    ],
)
async def test_trouble_on_the_way_is_tried_again(autojump_clock, trouble):
    client, account = await sent(trouble, trouble, counted(5))
    assert client.asked == 3
    assert account.accepted == 5


async def test_an_answer_that_never_comes_is_asked_for_again(autojump_clock):
    client, account = await sent(None, counted(4, 1))
    assert client.asked == 2
    assert account.duplicates == 1


async def test_patience_ends_and_the_samples_are_unsent(autojump_clock):
    account = Account()
    with pytest.raises(GaveUpError, match=r"answered 503 .The recorder does not keep up"):
        await deliver(FakeClient(BUSY), b"{}", 5, account, patience_s=20)  # type: ignore[arg-type]
    assert (account.unsent, account.unaccounted) == (5, 0)


@pytest.mark.parametrize("status", [401, 403, 404, 500])
async def test_an_answer_that_time_does_not_change_ends_it_at_once(status):
    account = Account()
    client = FakeClient(Answer(status, {}, b'{"detail": "Analytics dashboard disabled"}'))
    with pytest.raises(GaveUpError, match=f"{status} .Analytics dashboard disabled"):
        await deliver(client, b"{}", 5, account)  # type: ignore[arg-type]
    assert client.asked == 1
    assert account.unsent == 5


async def test_counts_that_do_not_add_up_show():
    account = Account()
    await deliver(FakeClient(counted(3)), b"{}", 5, account)  # type: ignore[arg-type]
    assert account.unaccounted == 2


def test_reasons_are_bounded():
    account = Account()
    for number in range(1000):
        account.refuse(f"reason {number}")
    assert len(account.reasons) == MAX_REASONS + 1
    assert account.reasons.total() == 1000


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 9), st.booleans()), max_size=6))
def test_every_sample_ends_once(batches):
    async def main() -> Account:
        account = Account()
        for accepted, duplicates, rejected, busy in batches:
            answers = ([BUSY] if busy else []) + [counted(accepted, duplicates, rejected)]
            await deliver(FakeClient(*answers), b"", accepted + duplicates + rejected, account)  # type: ignore[arg-type]
        return account

    account = trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
    assert account.unaccounted == account.unsent == 0
    assert account.accepted == sum(batch[0] for batch in batches)
    assert account.rejected == account.reasons.total() == sum(batch[2] for batch in batches)
