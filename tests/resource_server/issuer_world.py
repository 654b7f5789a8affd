"""A resource server and its issuer in one process: what the one asks, the other's endpoints answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

import pytest

from asserting import sign
from everbearer.http.protocol_routes import client_routes, public_routes
from everbearer.http.routes import dispatch
from everbearer.http.wsgi import finish
from everbearer.oauth.crypto.keys import SigningKey
from everbearer.oauth.messages import Request
from everbearer.oauth.randomness import random_id
from everbearer.resource_server import Fetch, Fetched, InvalidToken, ResourceServer
from everbearer.resource_server.requirement import VALID, Requirement
from world import ISSUER, SECRET, World, key_of

API = "https://api.example/v1"
OAUTH_METADATA = f"{ISSUER}/.well-known/oauth-authorization-server"
OPENID_METADATA = f"{ISSUER}/.well-known/openid-configuration"
JWKS = f"{ISSUER}/oauth2/jwks"
INTROSPECT = f"{ISSUER}/oauth2/introspect"
NO_HEADER: Mapping[str, Any] = MappingProxyType({})


@dataclass(kw_only=True)
class Issuer:
    """The issuer as its resource servers know it."""

    world: World
    down: bool = False
    """It cannot be connected to."""
    instead: dict[str, Fetched] = field(default_factory=dict[str, Fetched])
    """What it answers at some URLs instead of what it would."""
    asked: list[Fetch] = field(default_factory=list[Fetch])
    told: list[str] = field(default_factory=list[str])
    """What operators of the resource server were told."""

    def fetch(self, wanted: Fetch) -> Fetched:
        self.asked.append(wanted)
        if self.down:
            raise OSError("no route to host")
        if wanted.url in self.instead:
            return self.instead[wanted.url]
        parts = urlsplit(wanted.url)
        headers = {name.lower(): value for name, value in wanted.headers}
        request = Request(
            method=wanted.method, path=parts.path, query=parts.query, headers=headers, body=wanted.body or b""
        )
        endpoint = dispatch({**public_routes(self.world.server), **client_routes(self.world.server)})
        response = finish(endpoint(request))
        return Fetched(status=response.status, body=response.body)

    def api(self, **changes: Any) -> ResourceServer:
        """Return a resource server of this issuer."""
        settings = {
            "issuer": ISSUER,
            "audience": API,
            "fetch": self.fetch,
            "now": self.world.clock,
            "notify": self.told.append,
        }
        return ResourceServer(**{**settings, **changes})

    def asked_for(self, url: str) -> int:
        """Return how often a URL was asked for."""
        return sum(wanted.url == url for wanted in self.asked)

    async def token(self, client: str = "machine", scope: str = "read write") -> str:
        """Return an access token that a client has got for itself."""
        return (await self.world.client_credentials(client, scope=scope)).access_token

    async def user_token(self, client: str = "spa", **changes: Any) -> str:
        """Return an access token that Ada has given a client."""
        return (await self.world.sign_in(client, **changes)).access_token

    def forged(
        self, *, key: SigningKey | str | None = None, header: Mapping[str, Any] = NO_HEADER, **claims: Any
    ) -> str:
        """Return an access token as good as it can be but for what is changed; None leaves a member out."""
        now = self.world.clock.now
        members = {
            "iss": ISSUER,
            "sub": "ada",
            "aud": API,
            "client_id": "spa",
            "iat": now,
            "exp": now + 60,
            "jti": random_id(),
            "scope": "read",
            **claims,
        }
        said = {name: value for name, value in members.items() if value is not None}
        return sign(said, key or key_of("ES256"), {"typ": "at+jwt", **header})


def refusal_of(api: ResourceServer, text: str, required: Requirement = VALID) -> str:
    """Return why a resource server holds a token to be invalid."""
    with pytest.raises(InvalidToken) as refused:
        api.validate(text, required)
    return refused.value.description


async def with_audience(world: World) -> None:
    """Make the tokens of all clients be for the resource server."""
    for client in ("machine", "spa", "opaque", "web"):
        await world.change_client(client, audience=API)


CREDENTIALS: Mapping[str, Any] = {"client_id": "api", "client_secret": SECRET}
