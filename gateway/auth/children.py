"""What of access control lives: the watcher of the file of tokens, as a supervised child."""

from __future__ import annotations

from actors.supervisor import Beyond, ChildSpec

from .access import Access


def access_children(access: Access) -> tuple[ChildSpec, ...]:
    """None where there are no tokens of ours. A watcher that fails leaves the tokens as they were known."""
    if "token" not in access.verifier.mode:
        return ()
    return (ChildSpec(name="credentials", run=access.verifier.run, beyond=Beyond.PARK),)
