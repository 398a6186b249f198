"""What gateway/talk.py promises."""

from __future__ import annotations

import pytest
from wsproto.connection import Connection, ConnectionType
from wsproto.events import TextMessage

from gateway.talk import text_frame


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536, 200_000])
def test_a_frame_is_one_whole_message(size: int) -> None:
    client = Connection(ConnectionType.CLIENT)
    client.receive_data(text_frame(b"x" * size) + text_frame("ü".encode()))
    events = list(client.events())
    assert all(isinstance(each, TextMessage) and each.frame_finished for each in events)
    texts = "".join(each.data for each in events if isinstance(each, TextMessage))
    assert texts == "x" * size + "ü"
