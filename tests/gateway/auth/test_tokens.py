"""The file of tokens: hashed, private, whole at every moment."""

from __future__ import annotations

import json
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gateway.auth.tokens import PREFIX, TokensError, create_token, digest_of, read_tokens, revoke_tokens

READ = frozenset({"read"})


def test_a_token_is_found_by_its_digest_and_never_stored(tmp_path: Path) -> None:
    path = tmp_path / "data" / "tokens.json"
    text, token = create_token(path, " Node-RED ", READ, now_ms=5, expires_ms=9)
    assert text.startswith(PREFIX)
    assert len(text) >= len(PREFIX) + 43
    assert read_tokens(path) == {digest_of(text): token}
    assert (token.name, token.scopes, token.created_ms, token.expires_ms) == ("Node-RED", ("read",), 5, 9)
    for file in path.parent.iterdir():
        assert text.removeprefix(PREFIX) not in file.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_two_tokens_differ(tmp_path: Path) -> None:
    path = tmp_path / "tokens.json"
    texts = {create_token(path, "a", READ, now_ms=0)[0] for _ in range(5)}
    assert len(texts) == len(read_tokens(path)) == 5


def test_writers_take_turns(tmp_path: Path) -> None:
    path = tmp_path / "tokens.json"
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda n: create_token(path, f"agent {n}", READ, now_ms=n), range(24)))
    assert {token.name for _, token in made} == {token.name for token in read_tokens(path).values()}


@pytest.mark.parametrize("by", ["token_id", "name", "text"])
def test_revoking(tmp_path: Path, by: str) -> None:
    path = tmp_path / "tokens.json"
    text, token = create_token(path, "agent", READ, now_ms=0)
    _, other = create_token(path, "other", READ, now_ms=0)
    assert revoke_tokens(path, text if by == "text" else getattr(token, by)) == [token]
    assert list(read_tokens(path).values()) == [other]
    assert revoke_tokens(path, "agent") == []


def test_no_file_is_no_token(tmp_path: Path) -> None:
    assert read_tokens(tmp_path / "tokens.json") == {}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{",
        '{"version": 2, "tokens": []}',
        '{"version": 1}',
        '{"version": 1, "tokens": [{}]}',
        '{"version": 1, "tokens": [7]}',
        json.dumps(
            {
                "version": 1,
                "tokens": [{"token_id": 1, "name": "a", "scopes": ["read"], "digest": "d", "created_ms": 0}],
            }
        ),
        json.dumps(
            {
                "version": 1,
                "tokens": [{"token_id": "1", "name": "a", "scopes": ["all"], "digest": "d", "created_ms": 0}],
            }
        ),
    ],
)
def test_a_file_that_is_none_is_named_and_not_overwritten(tmp_path: Path, content: str) -> None:
    path = tmp_path / "tokens.json"
    path.write_text(content)
    with pytest.raises(TokensError, match=r"tokens\.json"):
        read_tokens(path)
    with pytest.raises(TokensError):
        create_token(path, "a", READ, now_ms=0)
    assert path.read_text() == content


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "x" * 101])
def test_bad_names(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match=r"^name"):
        create_token(tmp_path / "tokens.json", name, READ, now_ms=0)


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(TokensError, match=r"Not a directory|File exists"):
        create_token(tmp_path / "file" / "tokens.json", "a", READ, now_ms=0)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_what_root_creates_belongs_to_the_owner_of_the_folder(tmp_path: Path) -> None:
    os.chown(tmp_path, 12345, 23456)
    path = tmp_path / "tokens.json"
    create_token(path, "a", READ, now_ms=0)
    for file in (path, path.with_name("tokens.json.lock")):
        assert (file.stat().st_uid, file.stat().st_gid) == (12345, 23456)
