"""A mail server on loopback: as much of SMTP (RFC 5321) as a client needs to leave a message."""

# serve_listeners says when it has started.
# flake8: noqa: ASYNC128

from __future__ import annotations

from dataclasses import dataclass, field

import trio


@dataclass
class MailServer:
    port: int = 0
    refuse: bool = False
    messages: list[tuple[float, str]] = field(default_factory=list)  # Trio's time, the text
    came: trio.Event = field(default_factory=trio.Event)

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        listeners = await trio.open_tcp_listeners(self.port, host="127.0.0.1")
        self.port = listeners[0].socket.getsockname()[1]
        await trio.serve_listeners(self._serve, listeners, task_status=task_status)

    async def _serve(self, stream: trio.SocketStream) -> None:
        try:
            await self._converse(stream)
        except trio.BrokenResourceError:
            return

    async def _converse(self, stream: trio.SocketStream) -> None:
        data = b""

        async def line() -> str:
            nonlocal data
            while b"\r\n" not in data:
                more = await stream.receive_some()
                if not more:
                    raise trio.BrokenResourceError
                data += more
            text, _, data = data.partition(b"\r\n")
            return text.decode("utf-8", "replace")

        await stream.send_all(b"220 loopback\r\n")
        while True:
            word = (await line())[:4].upper()
            if word == "DATA":
                await stream.send_all(b"354 go on\r\n")
                lines = []
                while (text := await line()) != ".":
                    lines.append(text)
                self.messages.append((trio.current_time(), "\n".join(lines)))
                self.came.set()
            answer = {"EHLO": b"250-loopback\r\n250 8BITMIME\r\n", "QUIT": b"221 bye\r\n"}.get(word, b"250 fine\r\n")
            if self.refuse and word == "RCPT":
                answer = b"451 later\r\n"
            await stream.send_all(answer)
            if word == "QUIT":
                await stream.aclose()
                return
