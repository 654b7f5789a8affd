"""A store made of two: clients of one's own beside a grant store that is shipped."""

from __future__ import annotations

from dataclasses import dataclass, replace

from everbearer.oauth.arguments import check_fields
from everbearer.oauth.client import Client
from everbearer.oauth.events import Event
from everbearer.oauth.models import Ended, Everything, Grant
from everbearer.oauth.store import ClientStore, GrantStore, Spend


@dataclass(frozen=True, slots=True, kw_only=True)
class ComposedStore:
    """Reads clients from one store and keeps everything else in another. `Store` says what each verb does."""

    clients: ClientStore
    grants: GrantStore

    def __post_init__(self) -> None:
        check_fields(self)

    async def client(self, client_id: str) -> Client | None:
        """See `ClientStore`."""
        return await self.clients.client(client_id)

    async def allows_origin(self, origin: str) -> bool:
        """See `ClientStore`."""
        return await self.clients.allows_origin(origin)

    async def create_grant(self, grant: Grant, event: Event) -> None:
        """See `GrantStore`; the client's epoch is the newest, for where the clients are nobody counts it."""
        await self.grants.create_grant(replace(grant, client_epoch=None), event)

    async def grant(self, grant_id: str) -> Grant | None:
        """See `GrantStore`."""
        return await self.grants.grant(grant_id)

    async def spend(self, grant: Grant, *, expected: int) -> Spend:
        """See `GrantStore`."""
        return await self.grants.spend(grant, expected=expected)

    async def confirm(self, grant_id: str, generation: int) -> None:
        """See `GrantStore`."""
        await self.grants.confirm(grant_id, generation)

    async def end_grant(self, grant_id: str, ended: Ended) -> bool:
        """See `GrantStore`."""
        return await self.grants.end_grant(grant_id, ended)

    async def end_all(self, everything: Everything, key: str, ended: Ended) -> None:
        """See `GrantStore`."""
        await self.grants.end_all(everything, key, ended)

    async def remember(self, purpose: str, value: str, *, until: int) -> bool:
        """See `GrantStore`."""
        return await self.grants.remember(purpose, value, until=until)

    async def remembers(self, purpose: str, value: str) -> bool:
        """See `GrantStore`."""
        return await self.grants.remembers(purpose, value)

    async def record(self, event: Event) -> None:
        """See `GrantStore`."""
        await self.grants.record(event)
