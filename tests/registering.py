"""Clients that register themselves, over the protocol's endpoints: requests as they would send them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast

from everbearer.oauth.client import Client
from everbearer.oauth.client_registration import ClientRegistration
from everbearer.oauth.errors import InvalidClientMetadata, TemporarilyUnavailable
from everbearer.oauth.events import EventKind
from everbearer.oauth.initial_access_tokens import (
    INITIAL_ACCESS_TOKEN_PREFIX,
    InitialAccessToken,
    new_registration_token,
    token_hash,
)
from everbearer.oauth.messages import Request
from everbearer.oauth.models import DAY
from everbearer.oauth.profile import Profile
from everbearer.oauth.registration.endpoint import registration_endpoint
from everbearer.oauth.registration.management import client_configuration_endpoint
from everbearer.storage.store import AdminStore
from meddled_store import Happening, meddled
from world import Answer, World, answer_of, basic, bearer

REDIRECT = "https://app.example/cb"
SCOPE = ("openid", "profile", "email", "offline_access", "read")
BUSY = "https://busy.example/sector"
"""A document that cannot be fetched now."""
ADDRESS = "192.0.2.1"


@dataclass(kw_only=True)
class Registrar:
    """A world in which clients may register themselves, and what stands at which URL."""

    world: World
    documents: dict[str, str] = field(default_factory=dict[str, str])
    waits: dict[str, int] = field(default_factory=dict[str, int])
    """For how long who registers from which address must wait."""

    def allowing(self, **changes: Any) -> Registrar:
        """Return the same with other settings."""
        registration = self.world.server.registration
        assert registration is not None
        server = replace(self.world.server, registration=replace(registration, **changes))
        return replace(self, world=replace(self.world, server=server))

    def under(self, profile: Profile) -> Registrar:
        """Return the same under another profile."""
        return replace(self, world=replace(self.world, server=replace(self.world.server, profile=profile)))

    def meddled(self, verb: str, happening: Happening) -> Registrar:
        """Return the same as a node sees it whose store is meddled with; see `meddled_store`."""
        world = meddled(self.world, verb, happening)
        other = replace(self, world=world)
        return other.allowing(store=cast("AdminStore", world.server.store))

    async def send(
        self, body: bytes, *, headers: Mapping[str, str] | None = None, content_type: str = "application/json"
    ) -> Answer:
        """Send a body to the registration endpoint."""
        request = Request(
            method="POST",
            path="/oauth2/register",
            headers={"content-type": content_type, "user-agent": "tests", **(headers or {})},
            body=body,
            remote_address=ADDRESS,
        )
        return answer_of(await registration_endpoint(request, self.world.server))

    async def register(self, *, token: str = "", **metadata: Any) -> Answer:
        """Register a client with one redirect URI, where metadata do not say otherwise; None leaves a member out."""
        members = {"redirect_uris": [REDIRECT], **metadata}
        body = json.dumps({name: value for name, value in members.items() if value is not None}).encode()
        return await self.send(body, headers=bearer(token) if token else {})

    async def registered(self, **metadata: Any) -> Any:
        """Return what is told of a client that registered."""
        answer = await self.register(**metadata)
        assert answer.status == 201, answer.body
        return answer.json

    async def client(self, **metadata: Any) -> Client:
        """Return a client that registered, as it is stored."""
        return await self.world.client((await self.registered(**metadata))["client_id"])

    async def error(self, **metadata: Any) -> tuple[int, str, str]:
        """Return how a registration is refused, when nothing has been stored."""
        before = len(await self.world.store.clients())
        answer = await self.register(**metadata)
        assert len(await self.world.store.clients()) == before
        return answer.status, answer.error, answer.json["error_description"]

    async def refused(self, **metadata: Any) -> str:
        """Return why metadata are invalid."""
        status, error, description = await self.error(**metadata)
        assert (status, error) == (400, "invalid_client_metadata"), (error, description)
        return description

    async def manage(
        self,
        method: str,
        information: Mapping[str, Any],
        *,
        token: str | None = None,
        members: Mapping[str, Any] | None = None,
    ) -> Answer:
        """Send a request to the client configuration endpoint that a registration names, with its token."""
        access_token = information["registration_access_token"] if token is None else token
        request = Request(
            method=method,
            path="/oauth2/register",
            query=information["registration_client_uri"].partition("?")[2],
            headers={
                "content-type": "application/json",
                "user-agent": "tests",
                **(bearer(access_token) if access_token else {}),
            },
            body=b"" if members is None else json.dumps(members).encode(),
            remote_address=ADDRESS,
        )
        return answer_of(await client_configuration_endpoint(request, self.world.server))

    async def update(self, information: Mapping[str, Any], **changes: Any) -> Answer:
        """Send what was registered back with changes; those that are None are left out."""
        own = {
            "registration_access_token",
            "registration_client_uri",
            "client_secret_expires_at",
            "client_id_issued_at",
        }
        members = {**{name: value for name, value in information.items() if name not in own}, **changes}
        kept = {name: value for name, value in members.items() if value is not None}
        return await self.manage("PUT", information, members=kept)

    async def redeem(self, code: str, information: Mapping[str, Any]) -> Answer:
        """Redeem a code as a client that sends its secret by HTTP Basic."""
        client_id = information["client_id"]
        sent = basic(client_id, information["client_secret"])
        return await self.world.redeem(code, client=client_id, headers=sent, client_id=None, client_secret=None)

    async def initial_access_token(self, **changes: Any) -> str:
        """Return a new initial access token."""
        token = new_registration_token(INITIAL_ACCESS_TOKEN_PREFIX)
        now = self.world.clock.now
        kept = InitialAccessToken(
            token_id="partner-7", token_hash=token_hash(token), created_at=now, expires_at=now + DAY
        )
        await self.world.store.create_initial_access_token(
            replace(kept, **changes), self.world.event(EventKind.INITIAL_ACCESS_TOKEN_CREATED)
        )
        return token


def new_registrar(world: World, *, anybody: bool = True) -> Registrar:
    """Return the same world with registration for anybody, or for those who have a token."""
    registrar = Registrar(world=world)

    async def fetch(url: str) -> str:
        if url == BUSY:
            raise TemporarilyUnavailable("busy", retry_after=5)
        if url not in registrar.documents:
            raise InvalidClientMetadata(f"{url} answers 404")
        return registrar.documents[url]

    async def wait(address: str) -> int:
        return registrar.waits.get(address, 0)

    registration = ClientRegistration(
        store=world.store, anybody=anybody, scope=SCOPE, fetch=fetch, wait=wait, reserved_names=frozenset({"notes"})
    )
    server = replace(world.server, registration=registration, note_client_use=world.store.note_client_use)
    registrar.world = replace(world, server=server)
    return registrar
