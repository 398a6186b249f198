"""The steps from one form of a database of ours to the next, and what a version means. The archive's steps stand here,
those of control.db in control_schema.py; both are done by `migrate`.

`PRAGMA user_version` holds both numbers: the major one in its low 16 bits, the minor one in the bits above. A minor
step is one that older software can work beside (a further index, a column it need not know); it opens such a file as
it is. Software meets a newer major version with memory alone, the file untouched.

Promises: each step is one transaction together with its version number, so that a process killed anywhere inside
leaves the form before or the form after. Two processes doing so at once do each step once.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from importlib import resources
from typing import Final

from msgspec import Struct

_MINOR_SHIFT: Final = 16


class Version(Struct, frozen=True, order=True):
    """Of a database's form. 0.0: an empty file."""

    major: int
    minor: int = 0

    @classmethod
    def of(cls, user_version: int) -> Version:
        return cls(user_version & 0xFFFF, (user_version >> _MINOR_SHIFT) & 0xFFFF)

    @property
    def user_version(self) -> int:
        return self.minor << _MINOR_SHIFT | self.major

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"


class Migration(Struct, frozen=True):
    """`script`: a file in storage/schema of plain SQL, without transaction control. `version`: what it leads to."""

    version: Version
    script: str


MIGRATIONS: Final[tuple[Migration, ...]] = (
    Migration(Version(1), "0001_initial.sql"),
    Migration(Version(2), "0002_packed.sql"),
)
CURRENT: Final = MIGRATIONS[-1].version


def version_of(connection: sqlite3.Connection) -> Version:
    return Version.of(connection.execute("PRAGMA user_version").fetchone()[0])


def migrate(
    connection: sqlite3.Connection, migrations: Sequence[Migration] = MIGRATIONS, application_id: int | None = None
) -> list[Version]:
    """Do every step this file has not seen; returns the versions gone through. The connection is in autocommit.

    `application_id`: marks the file as one of that program's, with the first step it takes.
    """
    done: list[Version] = []
    for step in migrations:
        if version_of(connection) >= step.version:
            continue
        connection.execute("BEGIN IMMEDIATE")
        try:
            if version_of(connection) < step.version:  # nobody else was faster
                for statement in statements(_text(step.script)):
                    connection.execute(statement)
                if application_id is not None:
                    connection.execute(f"PRAGMA application_id = {application_id}")
                connection.execute(f"PRAGMA user_version = {step.version.user_version}")
                done.append(step.version)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
    return done


def statements(script: str) -> Iterator[str]:
    """One by one: sqlite3's executescript would commit what is open before it begins."""
    held = ""
    for line in script.splitlines(keepends=True):
        held += line
        if sqlite3.complete_statement(held):
            yield held
            held = ""
    if any(not line.lstrip().startswith("--") for line in held.splitlines() if line.strip()):
        raise ValueError(f"a statement without its end: {held.strip()[:60]!r}")


def _text(script: str) -> str:
    return resources.files("storage").joinpath("schema", script).read_text("utf-8")
