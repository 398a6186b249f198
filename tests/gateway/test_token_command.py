"""The command `token`: what it prints, and what the file holds afterwards."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from conf.settings import PREFIX
from gateway.auth.tokens import PREFIX as TOKEN
from gateway.auth.tokens import digest_of, read_tokens
from gateway.cli import main

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "tokens.json"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], path: Path) -> Run:
    environ = {PREFIX + "DB_PATH": str(path.parent / "analytics.db"), PREFIX + "AUTH_MODE": "token"}

    def run(*arguments: str, **more: str) -> tuple[int, str, str]:
        code = main(["token", *arguments], {**environ, **more})
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


@pytest.mark.parametrize(
    ("arguments", "scopes"),
    [
        ((), ("read",)),
        (("--scope", "ingest"), ("ingest",)),
        (("--scope", "ingest", "--scope", "read"), ("ingest", "read")),
        (("--scope", "ingest", "read"), ("ingest", "read")),
        (("--scopes", "ingest,READ"), ("ingest", "read")),
        (("--scope", "admin"), ("act", "admin", "ingest", "read")),
    ],
)
def test_create_prints_the_token_alone(run: Run, path: Path, arguments: tuple[str, ...], scopes: tuple[str]) -> None:
    code, out, err = run("create", "Node-RED", *arguments)
    assert code == 0
    assert out.startswith(TOKEN)
    assert out.count("\n") == 1
    assert out.strip() not in err
    token = read_tokens(path)[digest_of(out.strip())]
    assert (token.name, token.scopes, token.expires_ms) == ("Node-RED", scopes, None)


def test_expiry(run: Run, path: Path) -> None:
    assert run("create", "--name", "guest", "--days", "0.5")[0] == 0
    (token,) = read_tokens(path).values()
    assert token.name == "guest"
    assert token.expires_ms == token.created_ms + 43_200_000


@pytest.mark.parametrize(
    "arguments",
    [("--scope", "write"), ("--scope", ","), ("--days", "0"), ("--days", "-1"), ("--days", "nan"), ("a\nb",)],
)
def test_what_cannot_be_created(run: Run, path: Path, arguments: tuple[str, ...]) -> None:
    code, out, err = run("create", *arguments)
    assert (code, out) == (1, "")
    assert err.startswith("coachiq-analytics: ")
    assert not path.exists()


def test_list_shows_no_secret(run: Run) -> None:
    text = run("create", "pump", "--scope", "ingest")[1].strip()
    code, out, _ = run("list")
    assert code == 0
    assert [word for word in ("pump", "ingest", "never") if word not in out] == []
    assert text not in out
    assert digest_of(text) not in out
    entries = json.loads(run("list", "--json")[1])
    assert [(entry["name"], entry["scopes"], entry["expires_at"]) for entry in entries] == [("pump", ["ingest"], None)]
    assert digest_of(text) not in str(entries)


def test_revoke(run: Run, path: Path) -> None:
    text = run("create", "pump")[1].strip()
    token_id = json.loads(run("list", "--json")[1])[0]["id"]
    assert run("revoke", token_id)[0] == 0
    assert read_tokens(path) == {}
    code, _, err = run("revoke", text)
    assert code == 1
    assert text not in err


def test_a_mode_that_does_not_ask_is_pointed_out(run: Run) -> None:
    _, _, err = run("create", "pump", **{PREFIX + "AUTH_MODE": "none"})
    assert PREFIX + "AUTH_MODE is none" in err


def test_a_damaged_file(run: Run, path: Path) -> None:
    path.parent.mkdir()
    path.write_text("{")
    for arguments in (("list",), ("create", "a"), ("revoke", "a")):
        code, _, err = run(*arguments)
        assert code == 1
        assert str(path) in err
