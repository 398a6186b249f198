"""What the gateway uses of the control plane: the store, the alarms, and who keeps them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from actors.alarms import Alarms
from actors.hub import Hub
from actors.mailbox import Mailbox
from actors.messages import NotifierMessage
from actors.steward import Steward
from actors.supervisor import ChildSpec
from analytics.catalogue import Catalogue
from conf.flags import FeatureFlags
from conf.settings import Settings
from storage.control import ControlStore
from storage.control_schema import control_path


@dataclass(frozen=True, slots=True)
class Control:
    store: ControlStore
    alarms: Alarms
    steward: Steward

    def children(self) -> tuple[ChildSpec, ...]:
        """In order of start: before whoever needs a threshold or stores anything."""
        return (ChildSpec(name="steward", run=self.steward.run, stop=self.steward.close),)


def build_control(
    settings: Settings,
    flags: FeatureFlags,
    catalogue: Catalogue,
    hub: Hub,
    notifier: Mailbox[NotifierMessage],
    wall_ms: Callable[[], int],
) -> Control:
    """Everything made once; nothing is opened yet."""
    store = ControlStore(control_path(settings.db_path))
    alarms = Alarms(catalogue, hub, notifier)
    steward = Steward(store=store, alarms=alarms, wall_ms=wall_ms, persisted=lambda: flags.enabled("persistence"))
    return Control(store=store, alarms=alarms, steward=steward)
