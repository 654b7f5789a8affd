"""Devices that wait for their users to decide."""

from __future__ import annotations

from everbearer.oauth import store_rules
from everbearer.oauth.events import Event
from everbearer.oauth.models import DeviceAuthorization, Grant
from everbearer.storage.memory.events import record
from everbearer.storage.memory.grants import create_grant
from everbearer.storage.memory.tables import Tables


async def create_device_authorization(tables: Tables, device: DeviceAuthorization) -> bool:
    """Keep what a device asks, unless its user code is taken."""
    if device.grant_id in tables.devices or await device_authorization(tables, user_code=device.user_code):
        return False
    tables.devices[device.grant_id] = device
    return True


async def device_authorization(
    tables: Tables, *, grant_id: str = "", user_code: str = ""
) -> DeviceAuthorization | None:
    """Read what a device asks."""
    if user_code:
        return next((device for device in tables.devices.values() if device.user_code == user_code), None)
    return tables.devices.get(grant_id)


async def note_device_poll(tables: Tables, device: DeviceAuthorization, *, was: DeviceAuthorization) -> bool:
    """Change when a device polled and how long it is to wait."""
    after = store_rules.polled(tables.devices.get(device.grant_id), device, was=was)
    if after is not None:
        tables.devices[device.grant_id] = after
    return after is not None


async def decide_device_authorization(
    tables: Tables, device: DeviceAuthorization, event: Event, *, grant: Grant | None = None
) -> bool:
    """Keep the decision, with the grant and the event."""
    after = store_rules.decided(tables.devices.get(device.grant_id), device)
    if after is None:
        return False
    tables.devices[device.grant_id] = after
    if grant is not None:
        await create_grant(tables, grant, event)
    else:
        await record(tables, event)
    return True
