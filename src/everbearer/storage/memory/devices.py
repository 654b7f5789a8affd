"""Devices that wait for their users to decide."""

from __future__ import annotations

from dataclasses import replace

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
    stored = tables.devices.get(device.grant_id)
    if stored is None or stored.decision is not None:
        return False
    if (stored.polled_at, stored.interval) != (was.polled_at, was.interval):
        return False
    tables.devices[device.grant_id] = replace(stored, polled_at=device.polled_at, interval=device.interval)
    return True


async def decide_device_authorization(
    tables: Tables, device: DeviceAuthorization, event: Event, *, grant: Grant | None = None
) -> bool:
    """Keep the decision, with the grant and the event."""
    stored = tables.devices.get(device.grant_id)
    if stored is None or stored.decision is not None:
        return False
    tables.devices[device.grant_id] = replace(stored, decision=device.decision, expires_at=device.expires_at)
    if grant is not None:
        await create_grant(tables, grant, event)
    else:
        await record(tables, event)
    return True
