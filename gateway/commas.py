"""Lists of names in one text, as the command line and the query string spell them."""

from __future__ import annotations

import re
from typing import Final

_COMMA: Final = re.compile(r"(?<!\\),")


def split(*texts: str) -> list[str]:
    """a,b and a&b alike: each name once, order kept. A comma that belongs to a name is written `\\,`."""
    parts = (part.replace("\\,", ",").strip() for text in texts for part in _COMMA.split(text))
    return list(dict.fromkeys(filter(None, parts)))
