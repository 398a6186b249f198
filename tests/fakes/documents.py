"""Documents with ETag and If-Match, as a browser tab asks for them."""

from __future__ import annotations

import json
from typing import Any

from quart.testing import QuartClient


async def ask(
    client: QuartClient, method: str, path: str, body: Any = None, if_match: str | None = None
) -> tuple[int, Any]:
    """Status and body. The ETag of a header is the one of the body."""
    headers = {"Content-Type": "application/json"} | ({} if if_match is None else {"If-Match": if_match})
    data = None if body is None else json.dumps(body)
    response = await client.open(path, method=method, data=data, headers=headers)
    answer = json.loads(await response.get_data())
    if response.status_code < 300 and "etag" in answer:
        assert response.headers.get("ETag") == answer["etag"]
    return response.status_code, answer
