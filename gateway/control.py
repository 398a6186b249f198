"""What the gateway uses of the control plane: the store, the alarms, and who keeps them."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from actors.action_dispatcher import ActionDispatcher
from actors.alarms import Alarms
from actors.courier import Courier
from actors.effect_meter import EffectMeter
from actors.hub import Hub
from actors.kpi_keeper import KpiKeeper
from actors.mailbox import Mailbox
from actors.messages import NotifierMessage, PersisterMessage, RecorderMessage
from actors.steward import Steward
from actors.supervisor import Beyond, ChildSpec
from analytics.catalogue import Catalogue
from analytics.kpi import KpiError
from analytics.local_time import LocalTime
from analytics.notices import Standing
from conf.flags import FeatureFlags
from conf.loader import load_kpis
from conf.settings import Settings, SettingsError
from storage.control import ControlStore
from storage.control_schema import control_path
from storage.history import History
from storage.insight_book import InsightBook
from storage.insight_marks import InsightMarks

from .channels import OutsideChannels
from .core_rest import CoreRest


class Control(Struct, frozen=True):
    store: ControlStore
    alarms: Alarms
    steward: Steward
    marks: InsightMarks
    kpis: KpiKeeper
    actions: ActionDispatcher
    effects: EffectMeter
    courier: Courier

    def children(self) -> tuple[ChildSpec, ...]:
        """Started before whoever needs a threshold or stores anything."""
        return (
            ChildSpec(name="steward", run=self.steward.run, stop=self.steward.close),
            ChildSpec(name="courier", run=self.courier.run, beyond=Beyond.PARK),
        )

    def late_children(self) -> tuple[ChildSpec, ...]:
        """Started when there is a recorder."""
        return (
            ChildSpec(name="kpi_keeper", run=self.kpis.run, beyond=Beyond.PARK),
            ChildSpec(name="effect_meter", run=self.effects.run, beyond=Beyond.PARK),
            ChildSpec(name="action_dispatcher", run=self.actions.run, beyond=Beyond.PARK),
        )


def build_control(
    settings: Settings,
    flags: FeatureFlags,
    *,
    catalogue: Catalogue,
    hub: Hub,
    book: InsightBook,
    history: History,
    notifier: Mailbox[NotifierMessage],
    persister: Mailbox[PersisterMessage],
    recorder: Mailbox[RecorderMessage],
    local_time: LocalTime,
    wall_ms: Callable[[], int],
) -> Control:
    """Everything made once; nothing is opened yet. Raises SettingsError."""
    store = ControlStore(control_path(settings.db_path))
    alarms = Alarms(catalogue, hub, notifier, latest=history.latest)
    marks = InsightMarks(book)
    try:
        kpis = KpiKeeper(
            shipped=load_kpis(settings.conf_dir),
            store=store,
            history=history,
            catalogue=catalogue,
            recorder=recorder,
            local_time=local_time,
            wall_ms=wall_ms,
        )
    except KpiError as error:
        raise SettingsError("conf/kpis.yaml", str(error)) from error
    core = None
    if settings.core_url is not None:
        core = CoreRest(settings.core_url, None if settings.core_token is None else settings.core_token.reveal())
    effects = EffectMeter(
        store=store, history=history, book=book, marks=marks, hub=hub, catalogue=catalogue,
        local_time=local_time, wall_ms=wall_ms,
    )  # fmt: skip
    actions = ActionDispatcher(store=store, core=core, hub=hub, wall_ms=wall_ms, succeeded=effects.note)
    steward = Steward(
        store=store,
        alarms=alarms,
        book=book,
        marks=marks,
        notifier=notifier,
        persister=persister,
        wall_ms=wall_ms,
        persisted=lambda: flags.enabled("persistence"),
        restored=actions.look_again,
    )
    channels = OutsideChannels(lan=settings.notify_lan, wall_ms=wall_ms)

    def standing() -> Standing:
        insights = marks.standing(wall_ms())
        return Standing(insights.wanted | alarms.standing(), insights.put_away)

    courier = Courier(store=store, channels=channels, local_time=local_time, wall_ms=wall_ms, standing=standing)
    return Control(
        store=store, alarms=alarms, steward=steward, marks=marks, kpis=kpis, actions=actions, effects=effects,
        courier=courier,
    )  # fmt: skip
