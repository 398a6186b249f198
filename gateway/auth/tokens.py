"""Our own tokens: made by the command line, kept hashed in one small JSON file, checked by the service.

A token is `caq_` and 256 random bits in base64url; of that much randomness a plain SHA-256 is enough, since there
is nothing to guess. Promises: the file never holds a token; a change of it is one rename, so that who reads sees
the old or the new whole; two writers take turns (a lock file); its mode is 0600 and its owner that of its folder,
so that a service under a user of its own reads what root created. A file that cannot be read lets nobody in, and
the log says why.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import asdict

from .identity import Scope, granted

PREFIX: Final = "caq_"
MAX_NAME_CHARS: Final = 100
VERSION: Final = 1


class TokensError(Exception):
    """The file of tokens cannot be used. `str()` names it."""


class Token(Struct, frozen=True, kw_only=True):
    """What is kept of a token. Times are unix ms."""

    token_id: str
    name: str
    scopes: tuple[Scope, ...]
    digest: str  # SHA-256, hex
    created_ms: int
    expires_ms: int | None = None


def digest_of(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def read_tokens(path: Path) -> dict[str, Token]:
    """The tokens by digest; none without a file. Raises TokensError."""
    try:
        document = json.loads(path.read_bytes())
        if not isinstance(document, dict) or document.get("version") != VERSION:
            raise TokensError(f"{path}: expected version {VERSION}")
        return {token.digest: token for token in map(_token, document["tokens"])}
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise TokensError(f"{path}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise TokensError(f"{path}: not a file of tokens ({error})") from error


def create_token(
    path: Path, name: str, scopes: frozenset[Scope], *, now_ms: int, expires_ms: int | None = None
) -> tuple[str, Token]:
    """Add one; the text is told here and never again. Raises TokensError, ValueError for a bad name."""
    name = name.strip()
    if not name or len(name) > MAX_NAME_CHARS or not name.isprintable():
        raise ValueError(f"name: expected 1 to {MAX_NAME_CHARS} printable characters")
    text = PREFIX + secrets.token_urlsafe(32)
    token = Token(
        token_id=secrets.token_hex(4),
        name=name,
        scopes=tuple(sorted(scopes)),
        digest=digest_of(text),
        created_ms=now_ms,
        expires_ms=expires_ms,
    )
    with _changing(path) as tokens:
        tokens[token.digest] = token
    return text, token


def revoke_tokens(path: Path, which: str) -> list[Token]:
    """Remove those with this id or name, or this very token; returns them. Raises TokensError."""
    with _changing(path) as tokens:
        gone = [each for each in tokens.values() if which in (each.token_id, each.name)]
        gone = gone or [each for each in tokens.values() if each.digest == digest_of(which)]
        for each in gone:
            del tokens[each.digest]
    return gone


@contextmanager
def _changing(path: Path) -> Iterator[dict[str, Token]]:
    """The tokens, to be changed in place, and written at the end."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.with_name(path.name + ".lock").open("a") as lock:
            _as_folder(lock.fileno(), path.parent)
            fcntl.flock(lock, fcntl.LOCK_EX)
            tokens = read_tokens(path)
            yield tokens
            _write(path, tokens)
    except OSError as error:
        raise TokensError(f"{path}: {error.strerror}") from error


def _write(path: Path, tokens: dict[str, Token]) -> None:
    document = {"version": VERSION, "tokens": [asdict(token) for token in tokens.values()]}
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=path.name, delete=False) as file:  # mode 0600
        try:
            json.dump(document, file, indent=1)
            file.flush()
            _as_folder(file.fileno(), path.parent)
            os.fsync(file.fileno())
            Path(file.name).replace(path)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _as_folder(descriptor: int, folder: Path) -> None:
    """Root hands the file to the folder's owner: the service that reads it runs as that user."""
    if os.geteuid() == 0:
        owner = folder.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)


def _token(entry: dict[str, Any]) -> Token:
    token = Token(**{**entry, "scopes": tuple(sorted(granted(entry["scopes"])))})
    texts = (token.token_id, token.name, token.digest)
    times = (token.created_ms, 0 if token.expires_ms is None else token.expires_ms)
    if not all(isinstance(each, str) for each in texts) or not all(isinstance(each, int) for each in times):
        raise ValueError("a member of another type")
    return token
