"""Devices in the small world of `world.py`: they ask, they poll, and their users answer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from everbearer.oauth.authorization.device_authorization import (
    AskingDevice,
    complete_device_authorization,
    device_authorization_endpoint,
    find_device_authorization,
    refuse_device_authorization,
)
from everbearer.oauth.client import DEVICE_CODE, REFRESH_TOKEN
from protected import naming
from world import ADA, Answer, World

DEVICE_GRANTS = (DEVICE_CODE, REFRESH_TOKEN)


@dataclass(frozen=True)
class Device:
    """A device that shows a code and polls."""

    world: World
    client: str
    answer: Answer

    @property
    def user_code(self) -> str:
        return str(self.answer.json["user_code"])

    @property
    def device_code(self) -> str:
        return str(self.answer.json["device_code"])

    async def poll(self, *resources: str, client: str = "", **changes: str | None) -> Answer:
        world = self.world
        identity = await world.identity(client or self.client)
        form = {"grant_type": DEVICE_CODE, "device_code": self.device_code, **identity, **changes}
        return await world.token(naming(form, *resources))

    async def asking(self) -> AskingDevice:
        found = await find_device_authorization(self.user_code, self.world.server)
        assert found is not None
        return found

    async def allow(self, **changes: Any) -> bool:
        """Let it in as Ada."""
        return await complete_device_authorization(
            await self.asking(), self.world.authentication(**changes), self.world.server
        )

    async def deny(self) -> bool:
        return await refuse_device_authorization(await self.asking(), ADA, self.world.server)

    def on(self, world: World) -> Device:
        """Return the same device as it polls another node."""
        return replace(self, world=world)


async def ask_device(world: World, client: str = "spa", *resources: str, **changes: str | None) -> Answer:
    """Send a device authorization request."""
    form = {"scope": "openid offline_access", **await world.identity(client), **changes}
    return await world.send(device_authorization_endpoint, naming(form, *resources))


async def device(world: World, client: str = "spa", *resources: str, **changes: str | None) -> Device:
    """Return a device that has asked."""
    known = await world.client(client)
    await world.change_client(client, grant_types=(*known.grant_types, DEVICE_CODE))
    answer = await ask_device(world, client, *resources, **changes)
    assert answer.status == 200, answer.body
    return Device(world, client, answer)


async def allowed_device(world: World, client: str = "spa", *resources: str, **changes: str | None) -> Device:
    """Return a device whose user has said yes."""
    asked = await device(world, client, *resources, **changes)
    assert await asked.allow()
    return asked
