"""Clients that send request objects, and the objects that they make: signed by a JOSE library, not by us."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol

from asserting import NOTHING, jwks_of, sign
from everbearer.oauth.crypto.keys import ALGORITHMS, SigningKey
from everbearer.oauth.profile import OPENID_CERTIFICATION
from world import ISSUER, Clock, World, key_of

REQUEST_URI = "https://web.example/request.jwt"


class HasClock(Protocol):
    """A world, or as much of one as tells the time."""

    @property
    def clock(self) -> Clock: ...


async def let_sign(world: World, client: str = "web", **changes: Any) -> None:
    """Let a client sign request objects with keys: the server's own, which are as good as any."""
    await world.change_client(client, **{"jwks": jwks_of(*map(key_of, ALGORITHMS)), **changes})


def asked(world: HasClock, client: str = "web", **changes: object) -> dict[str, object]:
    """Return the claims of a good request object; a change to None leaves one out."""
    claims = {
        "iss": client,
        "aud": ISSUER,
        "exp": world.clock.now + 60,
        "client_id": client,
        "response_type": "code",
        "redirect_uri": f"https://{client}.example/cb",
        "scope": "openid email",
        "state": "inside",
    }
    return {name: value for name, value in (claims | changes).items() if value is not None}


def request_object(
    world: HasClock,
    client: str = "web",
    *,
    key: SigningKey | str | None = None,
    header: Mapping[str, Any] = NOTHING,
    **changes: object,
) -> str:
    """Return a request object, as good as it can be but for what is changed."""
    return sign(asked(world, client, **changes), key or key_of("ES256"), header)


def alone(client: str = "web", **parameters: str | None) -> dict[str, str | None]:
    """Return an authorization request in which nothing else stands."""
    return {"client_id": client, **parameters}


def lenient(world: World) -> World:
    """Return the same world as a server of the certification profile."""
    return replace(world, server=replace(world.server, profile=OPENID_CERTIFICATION))


class Published:
    """What stands at which request URI, and what was asked for."""

    def __init__(self, **documents: str) -> None:
        self.documents = documents
        self.asked: list[str] = []

    async def __call__(self, uri: str) -> str:
        self.asked.append(uri)
        return self.documents[uri.partition("#")[0]]


def publishing(world: World, document: str, uri: str = REQUEST_URI) -> tuple[World, Published]:
    """Return the same world as a server for which a document stands at a URI."""
    published = Published(**{uri: document})
    return replace(world, server=replace(world.server, request_objects=published)), published
