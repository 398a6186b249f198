"""What reaches beyond the process, as supervised children: the watcher of credentials, the link to the core."""

from __future__ import annotations

from actors.core_link import NAME, CoreLink
from actors.supervisor import Beyond, ChildSpec

from .auth.children import access_children
from .backend import Backend


def link_children(backend: Backend) -> tuple[ChildSpec, ...]:
    """In order of start. The link is noted in `backend.core`, for those who tell of it."""
    children = access_children(backend.access)
    settings = backend.settings
    if settings.core_url is not None:
        backend.core = CoreLink(
            settings.core_url,
            recorder=backend.record_mailbox,
            board=backend.board,
            wall_ms=backend.wall_ms,
            token=None if settings.core_token is None else settings.core_token.reveal(),
        )
        children += (ChildSpec(name=NAME, run=backend.core.run, beyond=Beyond.PARK),)
    return children
