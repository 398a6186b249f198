"""The command `replay`: its report adds up, and its exit code tells whether everything arrived."""

from __future__ import annotations

import socket

import msgspec
import pytest
import trio

from gateway import replay_command
from gateway.client import Answer
from gateway.recording import BadRow
from gateway.replay_command import MAX_NAMED, name_bad_row, report, run_replay
from gateway.sender import Account

RECORDING = "metric_name,timestamp,value\n" + "".join(f"a,{1760000000 + at},1\n" for at in range(10))


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(RECORDING)
    return path


@pytest.fixture
def unused_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        yield sock.getsockname()[1]  # bound, and nobody listens


@pytest.fixture
def service(monkeypatch):
    """Rejects `service.reject` samples of every batch and takes the rest, or answers `service.status`."""

    class Client:
        reject = 0
        status = 200

        def __init__(self, url: str, token: str | None = None) -> None:
            self.url = url

        async def __aenter__(self):
            return self

        async def __aexit__(self, *args):
            await trio.lowlevel.checkpoint()

        async def request(self, method, target, body=b""):
            await trio.lowlevel.checkpoint()
            if self.status != 200:
                return Answer(self.status, {}, b'{"detail": "no"}')
            samples = len(msgspec.json.decode(body)["samples"])
            errors = [{"index": 0, "message": "value: too odd"}] * self.reject
            counts = {"accepted": samples - self.reject, "duplicates": 0, "rejected": self.reject, "errors": errors}
            return Answer(200, {}, msgspec.json.encode(counts))

    monkeypatch.setattr(replay_command, "HttpClient", Client)
    return Client


async def test_everything_arrived(file, service, capsys):
    assert await run_replay(file, "http://coach", 0, False) == 0
    out, err = capsys.readouterr()
    assert [line.split() for line in out.splitlines()[:4]] == [
        ["rows", "10"],
        ["accepted", "10"],
        ["duplicates", "0"],
        ["rejected", "0"],
    ]
    assert "10 samples in 1 requests" in out
    assert "replay a.csv 100 %" in err


async def test_rejected_samples_are_told_with_their_reason(file, service, capsys):
    service.reject = 3
    assert await run_replay(file, "http://coach", 0, False) == 1
    assert "3 rejected: value: too odd" in capsys.readouterr().out


async def test_no_service_at_all(file, unused_port, capsys):
    with trio.fail_after(2):
        assert await run_replay(file, f"http://127.0.0.1:{unused_port}", 0, False) == 1
    out, err = capsys.readouterr()
    assert "not sent              10" in out
    assert "0 samples in 0 requests" in out
    assert "gave up: " in err
    assert "Connection refused" in err


async def test_the_first_trouble_is_told(file, service, capsys, autojump_clock):
    service.status = 503
    assert await run_replay(file, "http://coach", 0, False) == 1
    assert capsys.readouterr().err.count("answered 503 (no): trying again") == 1


async def test_a_service_that_takes_nothing(file, service, capsys):
    service.status = 404
    assert await run_replay(file, "http://coach", 0, False) == 1
    out, err = capsys.readouterr()
    assert "not sent              10" in out
    assert "gave up: answered 404 (no)" in err


async def test_bad_rows_are_named_and_spoil_the_exit_code(file, service, capsys):
    file.write_text(RECORDING + "a,b,c\n")
    assert await run_replay(file, "http://coach", 0, False) == 1
    out, err = capsys.readouterr()
    assert "bad rows               1" in out
    assert "rows                  11" in out
    assert "a.csv: line 12: timestamp: expected" in err


@pytest.mark.parametrize(("name", "url"), [("no.csv", "http://coach"), ("a.csv", "coach")])
async def test_what_cannot_begin(file, name, url, capsys):
    assert await run_replay(file.with_name(name), url, 0, False) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("coachiq-analytics: ")


def test_bad_rows_are_named_up_to_a_number(file, capsys):
    for number in range(1, 100):
        name_bad_row(file, BadRow(number, "bad"), number)
    assert len(capsys.readouterr().err.splitlines()) == MAX_NAMED + 1


def test_the_lines_of_a_report_add_up():
    account = Account(samples=90, accepted=50, duplicates=20, rejected=10, unsent=7, batches=4, repeated=2)
    account.refuse("odd", 10)
    lines = report(account, rows=100, bad=5, seconds=2)
    counts = {line[:12].strip(): int(line[12:]) for line in lines if line[12:].strip().isdigit()}
    assert counts == {
        "rows": 105,
        "accepted": 50,
        "duplicates": 20,
        "rejected": 10,
        "not sent": 17,
        "unaccounted": 3,
        "bad rows": 5,
    }
    assert counts.pop("rows") == sum(counts.values())
    assert "83 samples in 4 requests, 2 sent again, 2.0 s (42 samples/s)" in lines
    assert lines[-1] == "  10 rejected: odd"
