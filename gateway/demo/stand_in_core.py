"""The stand-in core of the demo: the REST side of CoachIQ's core, as far as actions need it, and a quiet WebSocket.

It has a handful of entities that can be switched, and answers a command as the core does: HTTP 200, with the outcome in
the body's `status`. On /ws it answers pings and tells of nothing: the coach's samples come from the simulation. `run`
has a child's signature.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any, Final

import trio
from msgspec import Struct
from quart import Response, request, websocket
from quart_trio import QuartTrio

from ..routes import json_response
from ..server import Server, harden
from .faults import FaultKind

_SEED: Final = (
    ("pump_fresh_water", "Fresh water pump", "pump", "bath", "on"),
    ("air_conditioner_main", "Air conditioner", "air_conditioner", "living", "on"),
    ("fan_refrigerator", "Refrigerator fan", "fan", "kitchen", "off"),
    ("fan_roof", "Roof fan", "fan", "living", "off"),
    ("water_heater", "Water heater", "water_heater", "bath", "on"),
    ("light_ceiling", "Ceiling light", "light", "living", "on"),
    ("light_kitchen", "Kitchen light", "light", "kitchen", "on"),
    ("light_porch", "Porch light", "light", "outside", "on"),
)

_REMEDIES: Final[dict[tuple[str, str], FaultKind]] = {
    ("fan_refrigerator", "on"): "fridge_warming",  # its compressor gets rid of its heat again
    ("pump_fresh_water", "off"): "water_leak",  # nothing feeds the leak any more
}


class Device(Struct):
    entity_id: str
    name: str
    device_type: str
    area: str
    state: str
    brightness: int = 100

    def document(self) -> dict[str, Any]:
        return {
            "entity_id": self.entity_id,
            "name": self.name,
            "device_type": self.device_type,
            "protocol": "simulated",
            "area": self.area,
            "available": True,
            "state": {"state": self.state, "brightness": self.brightness if self.state == "on" else 0},
        }


class StandInCore:
    """Everything it takes is done at once. `mend`: told which of the coach's faults that does something about."""

    def __init__(self, sock: socket.socket, mend: Callable[[FaultKind], None] = lambda kind: None) -> None:
        self._mend = mend
        self.devices: Final = {seed[0]: Device(*seed) for seed in _SEED}
        self._server = Server(self._app(), sock)
        self.run: Final = self._server.run  # has a child's signature
        self.url: Final = "http://{}:{}".format(*sock.getsockname()[:2])

    def stop(self) -> None:
        self._server.stop()

    def control(self, entity_id: str, body: Any) -> dict[str, Any]:
        """Do it. The answer's body."""
        device = self.devices.get(entity_id)
        if device is None:
            return {"entity_id": entity_id, "status": "failed", "message": "there is no such entity"}
        if not isinstance(body, dict) or body.get("command") != "set" or not isinstance(body.get("state"), bool):
            return {"entity_id": entity_id, "status": "failed", "message": "only set with a state is done here"}
        device.state = "on" if body["state"] else "off"
        if isinstance(body.get("brightness"), int):
            device.brightness = body["brightness"]
        remedy = _REMEDIES.get((entity_id, device.state))
        if remedy is not None:
            self._mend(remedy)
        return {"entity_id": entity_id, "status": "success", "message": None, "state": device.document()["state"]}

    def _app(self) -> QuartTrio:
        app = QuartTrio("stand_in_core", static_folder=None)
        harden(app)

        @app.get("/api/v2/entities")
        async def entities() -> Response:
            await trio.lowlevel.checkpoint()
            found = [device.document() for device in self.devices.values()]
            return json_response({"entities": found, "total_count": len(found)})

        @app.get("/api/v2/entities/<entity_id>")
        async def entity(entity_id: str) -> Response:
            await trio.lowlevel.checkpoint()
            device = self.devices.get(entity_id)
            if device is None:
                return json_response({"detail": "Entity not found"}, 404)
            return json_response(device.document())

        @app.post("/api/v2/entities/<entity_id>/control")
        async def control(entity_id: str) -> Response:
            return json_response(self.control(entity_id, await request.get_json(force=True, silent=True)))

        @app.websocket("/ws")
        async def link() -> None:
            while True:
                if '"ping"' in str(await websocket.receive()):
                    await websocket.send('{"type":"pong"}')

        return app
