"""Clients that register themselves, the tokens that let them, and the removal of those that nobody uses."""
# ruff: noqa: S608 - statements are put together from constants; values go in as parameters

from __future__ import annotations

from everbearer.oauth.client import Client, Lifetimes
from everbearer.oauth.client_registration import Registered
from everbearer.oauth.events import Event
from everbearer.oauth.initial_access_tokens import InitialAccessToken
from everbearer.oauth.models import Ended
from everbearer.oauth.scope import format_scope
from everbearer.storage.clients import same_client
from everbearer.storage.sql.clients import CLIENT_COLUMNS, DELETE_CONSENTS, forget_client, put_client
from everbearer.storage.sql.events import record
from everbearer.storage.sql.grants import GRANTS_AND_ENDS
from everbearer.storage.sql.purge import DEAD
from everbearer.storage.sql.rows import client_of, scope_of
from everbearer.storage.sql.transaction import Row, Transaction, Value

_TOKEN = "SELECT token_id, token_hash, created_at, expires_at, uses_left, scope, note FROM initial_access_tokens"
TOKEN_OF_HASH = f"{_TOKEN} WHERE token_hash = :token_hash"
TOKENS = f"{_TOKEN} ORDER BY created_at, token_id"

ADD_TOKEN = """
INSERT INTO initial_access_tokens (token_id, token_hash, created_at, expires_at, uses_left, scope, note)
VALUES (:token_id, :token_hash, :created_at, :expires_at, :uses_left, :scope, :note)
"""
REMOVE_TOKEN = "DELETE FROM initial_access_tokens WHERE token_id = :token_id RETURNING token_id"
SPEND_TOKEN = """
UPDATE initial_access_tokens SET uses_left = uses_left - 1
WHERE token_id = :token_id AND expires_at > :now AND (uses_left IS NULL OR uses_left > 0) RETURNING token_id
"""

# Who inserts this row counts alone until the transaction ends, also when it has been deleted again: those who wait for
# it see what the one before them stored.
TAKE_TURN = """
INSERT INTO attempts (bucket, made, until) VALUES ('registration', 0, 0) ON CONFLICT (bucket) DO UPDATE SET made = 0
"""
GIVE_BACK_TURN = "DELETE FROM attempts WHERE bucket = 'registration'"
COUNT_REGISTERED = "SELECT COUNT(*) FROM clients WHERE used_at IS NOT NULL"

# Changes nothing, but keeps the row as it is until the transaction ends.
HOLD_CLIENT = f"UPDATE clients SET client_id = client_id WHERE client_id = :client_id RETURNING {CLIENT_COLUMNS}"

IDLE_CLIENTS = """
SELECT client_id FROM clients WHERE used_at IS NOT NULL AND used_at <= :before AND client_id > :after
ORDER BY client_id LIMIT :limit
"""

# The lifetimes are those of the client; see the purge.
_LIVES = f"EXISTS (SELECT 1 {GRANTS_AND_ENDS}WHERE grants.client_id = clients.client_id AND ({DEAD}) IS NOT TRUE)"
NOTE_LIVE_CLIENT = f"""
UPDATE clients SET used_at = :before
WHERE client_id = :client_id AND used_at < :before AND {_LIVES} RETURNING client_id
"""
# A grant that is stored at this moment has raised `used_at` in its own transaction, or finds no client any more.
REMOVE_IDLE_CLIENT = f"""
DELETE FROM clients
WHERE client_id = :client_id AND used_at <= CAST(:before AS BIGINT) - :unused_for AND NOT {_LIVES} RETURNING client_id
"""


async def initial_access_token(transaction: Transaction, token_hash: str) -> InitialAccessToken | None:
    """Read one token."""
    rows = await transaction.run(TOKEN_OF_HASH, token_hash=token_hash)
    return _token_of(rows[0]) if rows else None


async def initial_access_tokens(transaction: Transaction) -> list[InitialAccessToken]:
    """Read all tokens."""
    return [_token_of(row) for row in await transaction.run(TOKENS)]


async def create_initial_access_token(transaction: Transaction, token: InitialAccessToken, event: Event) -> None:
    """Insert a token."""
    await transaction.run(
        ADD_TOKEN,
        token_id=token.token_id,
        token_hash=token.token_hash,
        created_at=token.created_at,
        expires_at=token.expires_at,
        uses_left=token.uses_left,
        scope=None if token.scope is None else format_scope(token.scope),
        note=token.note,
    )
    await record(transaction, event)


async def revoke_initial_access_token(transaction: Transaction, token_id: str, event: Event) -> bool:
    """Delete a token."""
    if not await transaction.run(REMOVE_TOKEN, token_id=token_id):
        return False
    await record(transaction, event)
    return True


async def register_client(
    transaction: Transaction, client: Client, event: Event, *, token_id: str = "", most: int | None = None
) -> Registered:
    """Insert a client if there is room, taking a use of its token."""
    if most is not None:
        await transaction.run(TAKE_TURN)
        await transaction.run(GIVE_BACK_TURN)
        ((registered,),) = await transaction.run(COUNT_REGISTERED)
        if registered >= most:
            return Registered.FULL
    if token_id and not await transaction.run(SPEND_TOKEN, token_id=token_id, now=event.at):
        return Registered.TOKEN_SPENT
    await put_client(transaction, client, event)
    return Registered.REGISTERED


async def change_client(
    transaction: Transaction, client: Client, event: Event, *, was: Client, forget_consents: bool = False
) -> bool:
    """Replace a client that is as it was read."""
    rows = await transaction.run(HOLD_CLIENT, client_id=client.client_id)
    if not rows or not same_client(client_of(rows[0]), was):
        return False
    await put_client(transaction, client, event)
    if forget_consents:
        await transaction.run(DELETE_CONSENTS, client_id=client.client_id)
    return True


async def idle_clients(transaction: Transaction, *, before: int, after: str, limit: int) -> list[str]:
    """Read ids in order."""
    return [client_id for (client_id,) in await transaction.run(IDLE_CLIENTS, before=before, after=after, limit=limit)]


async def reap_client(transaction: Transaction, client_id: str, event: Event, ends: Ended, *, unused_for: int) -> bool:
    """Delete a client that has had no live grant for long; note that it has one where it has."""
    defaults = Lifetimes()
    values: dict[str, Value] = {
        "client_id": client_id,
        "before": ends.at,
        "access_token": defaults.access_token,
        "refresh_token": defaults.refresh_token,
        "refresh_token_idle": defaults.refresh_token_idle,
        "authorization_code": defaults.authorization_code,
    }
    if await transaction.run(NOTE_LIVE_CLIENT, **values):
        return False
    if not await transaction.run(REMOVE_IDLE_CLIENT, unused_for=unused_for, **values):
        return False
    await forget_client(transaction, client_id, event, ends)
    return True


def _token_of(row: Row) -> InitialAccessToken:
    token_id, token_hash, created_at, expires_at, uses_left, scope, note = row
    return InitialAccessToken(
        token_id=token_id,
        token_hash=token_hash,
        created_at=created_at,
        expires_at=expires_at,
        uses_left=uses_left,
        scope=None if scope is None else scope_of(scope),
        note=note,
    )
