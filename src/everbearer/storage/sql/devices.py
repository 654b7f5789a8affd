"""Devices that wait for their users to decide."""
# ruff: noqa: S608 - statements are put together from constants; values go in as parameters

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode

from everbearer.oauth.events import Event
from everbearer.oauth.models import DeviceAuthorization, DeviceDecision, Grant
from everbearer.oauth.scope import format_scope
from everbearer.storage.sql.events import record
from everbearer.storage.sql.grants import create_grant
from everbearer.storage.sql.rows import scope_of
from everbearer.storage.sql.transaction import Row, Transaction, Value

_COLUMNS = """
    grant_id, user_code, client_id, scope, resources, secret, created_at, expires_at, poll_interval, polled_at,
    decision, address, agent
"""

CREATE_DEVICE = f"""
INSERT INTO device_authorizations ({_COLUMNS})
VALUES (
    :grant_id, :user_code, :client_id, :scope, :resources, :secret, :created_at, :expires_at, :poll_interval,
    :polled_at, :decision, :address, :agent
)
ON CONFLICT DO NOTHING
RETURNING grant_id
"""

DEVICE = f"SELECT {_COLUMNS} FROM device_authorizations WHERE grant_id = :grant_id"
DEVICE_OF_USER_CODE = f"SELECT {_COLUMNS} FROM device_authorizations WHERE user_code = :user_code"

# Compare and swap: of two polls of one moment one is the first, on any number of nodes.
NOTE_POLL = """
UPDATE device_authorizations SET polled_at = :polled_at, poll_interval = :poll_interval
WHERE grant_id = :grant_id AND polled_at = :was_polled_at AND poll_interval = :was_poll_interval AND decision = ''
RETURNING grant_id
"""

DECIDE = """
UPDATE device_authorizations SET decision = :decision, expires_at = :expires_at
WHERE grant_id = :grant_id AND decision = ''
RETURNING grant_id
"""


async def create_device_authorization(transaction: Transaction, device: DeviceAuthorization) -> bool:
    """Insert what a device asks, unless its user code is taken."""
    return bool(await transaction.run(CREATE_DEVICE, **_device_columns(device)))


async def device_authorization(
    transaction: Transaction, *, grant_id: str = "", user_code: str = ""
) -> DeviceAuthorization | None:
    """Read what a device asks."""
    if user_code:
        rows = await transaction.run(DEVICE_OF_USER_CODE, user_code=user_code)
    else:
        rows = await transaction.run(DEVICE, grant_id=grant_id)
    return _device_of(rows[0]) if rows else None


async def note_device_poll(transaction: Transaction, device: DeviceAuthorization, *, was: DeviceAuthorization) -> bool:
    """Change when a device polled and how long it is to wait."""
    changed = await transaction.run(
        NOTE_POLL,
        grant_id=device.grant_id,
        polled_at=device.polled_at,
        poll_interval=device.interval,
        was_polled_at=was.polled_at,
        was_poll_interval=was.interval,
    )
    return bool(changed)


async def decide_device_authorization(
    transaction: Transaction, device: DeviceAuthorization, event: Event, *, grant: Grant | None = None
) -> bool:
    """Write the decision, with the grant and the event."""
    decision = device.decision or ""
    changed = await transaction.run(DECIDE, grant_id=device.grant_id, decision=decision, expires_at=device.expires_at)
    if not changed:
        return False
    if grant is not None:
        await create_grant(transaction, grant, event)
    else:
        await record(transaction, event)
    return True


def _device_columns(device: DeviceAuthorization) -> dict[str, Value]:
    return {
        "grant_id": device.grant_id,
        "user_code": device.user_code,
        "client_id": device.client_id,
        "scope": format_scope(device.scope),
        "resources": " ".join(device.resources),
        "secret": urlsafe_b64encode(device.secret).decode(),
        "created_at": device.created_at,
        "expires_at": device.expires_at,
        "poll_interval": device.interval,
        "polled_at": device.polled_at,
        "decision": device.decision or "",
        "address": device.address,
        "agent": device.agent,
    }


def _device_of(row: Row) -> DeviceAuthorization:
    grant_id, user_code, client_id, scope, resources, secret, created_at, expires_at, interval, polled_at = row[:10]
    decision, address, agent = row[10:]
    return DeviceAuthorization(
        grant_id=grant_id,
        user_code=user_code,
        client_id=client_id,
        scope=scope_of(scope),
        resources=scope_of(resources) if resources else (),
        secret=urlsafe_b64decode(secret),
        created_at=created_at,
        expires_at=expires_at,
        interval=interval,
        polled_at=polled_at,
        decision=DeviceDecision(decision) if decision else None,
        address=address,
        agent=agent,
    )
