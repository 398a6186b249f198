"""What was found damaged in an open archive: counted and named once, so that neighbours can be served meanwhile.

Safe to use from several threads: each note is one dictionary operation.
"""

from __future__ import annotations

import logging
from typing import Final

LOG: Final = logging.getLogger(__name__)
MOST_NAMED: Final = 1_000


class Damage:
    """See the module docstring."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, int], str] = {}

    def note(self, table: str, row_id: int, what: str) -> None:
        """`what` is wrong with that row; the first time it is logged."""
        key = (table, row_id)
        if key not in self._found and len(self._found) < MOST_NAMED:
            self._found[key] = what
            LOG.error("damaged and left out: row %d of %s: %s", row_id, table, what)

    def rows(self, table: str) -> frozenset[int]:
        """The damaged rows of one table."""
        return frozenset(row_id for name, row_id in list(self._found) if name == table)

    def __len__(self) -> int:
        return len(self._found)

    def named(self) -> list[str]:
        """A sentence for each."""
        return [f"row {row_id} of {table}: {what}" for (table, row_id), what in sorted(self._found.items())]
