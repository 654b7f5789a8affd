"""Clients that register themselves, the tokens that let them, and the removal of those that nobody uses."""

from __future__ import annotations

from dataclasses import replace

from everbearer.oauth.client import Client
from everbearer.oauth.client_registration import Registered
from everbearer.oauth.events import Event
from everbearer.oauth.initial_access_tokens import InitialAccessToken
from everbearer.oauth.models import Ended
from everbearer.storage.clients import same_client
from everbearer.storage.memory.clients import delete_client, put_client
from everbearer.storage.memory.purge import died_at
from everbearer.storage.memory.tables import Tables


async def initial_access_token(tables: Tables, token_hash: str) -> InitialAccessToken | None:
    """Look for the token of this hash."""
    return next((each for each in tables.initial_access_tokens.values() if each.token_hash == token_hash), None)


async def initial_access_tokens(tables: Tables) -> list[InitialAccessToken]:
    """Read all tokens."""
    return sorted(tables.initial_access_tokens.values(), key=lambda token: (token.created_at, token.token_id))


async def create_initial_access_token(tables: Tables, token: InitialAccessToken, event: Event) -> None:
    """Keep a token."""
    tables.initial_access_tokens[token.token_id] = token
    tables.events.append(event)


async def revoke_initial_access_token(tables: Tables, token_id: str, event: Event) -> bool:
    """Forget a token."""
    if tables.initial_access_tokens.pop(token_id, None) is None:
        return False
    tables.events.append(event)
    return True


async def register_client(
    tables: Tables, client: Client, event: Event, *, token_id: str = "", most: int | None = None
) -> Registered:
    """Keep a client if there is room, taking a use of its token."""
    if most is not None and len(tables.used_at) >= most:
        return Registered.FULL
    if token_id and not _spend(tables, token_id, event.at):
        return Registered.TOKEN_SPENT
    await put_client(tables, client, event)
    return Registered.REGISTERED


def _spend(tables: Tables, token_id: str, now: int) -> bool:
    token = tables.initial_access_tokens.get(token_id)
    if token is None or token.expires_at <= now or token.uses_left == 0:
        return False
    left = None if token.uses_left is None else token.uses_left - 1
    tables.initial_access_tokens[token_id] = replace(token, uses_left=left)
    return True


async def change_client(
    tables: Tables, client: Client, event: Event, *, was: Client, forget_consents: bool = False
) -> bool:
    """Replace a client that is as it was read."""
    stored = tables.clients.get(client.client_id)
    if stored is None or not same_client(stored, was):
        return False
    await put_client(tables, client, event)
    if forget_consents:
        others = {key: each for key, each in tables.consents.items() if each.client_id != client.client_id}
        tables.consents = others
    return True


async def idle_clients(tables: Tables, *, before: int, after: str, limit: int) -> list[str]:
    """Read ids in order."""
    found = [client_id for client_id, used_at in tables.used_at.items() if used_at <= before and client_id > after]
    return sorted(found)[:limit]


async def reap_client(tables: Tables, client_id: str, event: Event, ends: Ended, *, unused_for: int) -> bool:
    """Delete a client that has had no live grant for long; note that it has one where it has."""
    used_at = tables.used_at.get(client_id)
    if used_at is None:
        return False
    if any(grant.client_id == client_id and died_at(tables, grant) > ends.at for grant in tables.grants.values()):
        tables.used_at[client_id] = max(used_at, ends.at)
        return False
    return used_at <= ends.at - unused_for and await delete_client(tables, client_id, event, ends)
