"""Clients that authenticate by assertion, and the assertions that they make: signed by a JOSE library, not by us."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from everbearer.oauth.client import AuthMethod, Client
from everbearer.oauth.clients.assertions import JWT_BEARER, seal_client_secret
from everbearer.oauth.clients.authentication import hash_client_secret
from everbearer.oauth.crypto.keys import SigningKey, signing_key_to_jwk
from everbearer.oauth.encoding import base64url
from everbearer.oauth.events import EventKind
from everbearer.oauth.randomness import random_id
from world import ISSUER, SECRET, World, key_of

NOTHING: Mapping[str, Any] = MappingProxyType({})


def jwks_of(*keys: SigningKey, **changes: object) -> str:
    """Return the JWK Set document that publishes some keys."""
    return json.dumps({"keys": [{**key.public_jwk, **changes} for key in keys]})


async def with_keys(world: World, client: str = "web", **changes: Any) -> Client:
    """Let a client authenticate by its keys: the server's own, which are as good as any."""
    keys = {"jwks": jwks_of(*map(key_of, ("ES256", "RS256", "PS256", "EdDSA")))} if "jwks_uri" not in changes else {}
    method = AuthMethod.PRIVATE_KEY_JWT
    await world.change_client(client, token_endpoint_auth_method=method, secrets=(), **{**keys, **changes})
    return await world.client(client)


async def with_secret(world: World, client: str = "machine", *secrets: str) -> Client:
    """Let a client authenticate by what its secrets, newest first, make of a JWT."""
    kept = secrets or (SECRET,)
    await world.change_client(
        client,
        token_endpoint_auth_method=AuthMethod.SECRET_JWT,
        secrets=tuple(hash_client_secret(secret, world.server) for secret in kept),
        sealed_secrets=tuple(seal_client_secret(client, secret, world.server.sealer) for secret in kept),
    )
    return await world.client(client)


async def with_another_name(world: World, client: str, name: str) -> None:
    """Register a client once more under another name."""
    another = replace(await world.client(client), client_id=name)
    await world.store.put_client(another, world.event(EventKind.CLIENT_CREATED))


def claims_for(world: World, client: str, **changes: object) -> dict[str, object]:
    """Return the claims of a good assertion; a change to None leaves one out."""
    claims = {"iss": client, "sub": client, "aud": ISSUER, "exp": world.clock.now + 60, "jti": random_id()}
    return {name: value for name, value in (claims | changes).items() if value is not None}


def sign(claims: object, key: SigningKey | str, header: Mapping[str, Any] = NOTHING) -> str:
    """Return claims signed with a key, or authenticated by a secret; a change of the header to None leaves it out."""
    usual = {"alg": key.alg, "kid": key.kid} if isinstance(key, SigningKey) else {"alg": "HS256"}
    members = {name: value for name, value in (usual | dict(header)).items() if value is not None}
    data = unsigned(claims, **members)[:-1]
    # Not what the library makes of it as a whole: that would refuse the odd headers that we must refuse.
    return f"{data}.{base64url(JWSRegistry.algorithms[members['alg']].sign(data.encode(), _library_key(key)))}"


def unsigned(claims: object, **header: object) -> str:
    """Return claims with a header and no signature."""
    return ".".join([*(base64url(json.dumps(each).encode()) for each in (header, claims)), ""])


def sent(assertion: str, **changes: str | None) -> dict[str, Any]:
    """Return the parameters by which a client sends an assertion and nothing else of itself."""
    return {
        "client_assertion_type": JWT_BEARER,
        "client_assertion": assertion,
        "client_id": None,
        "client_secret": None,
        **changes,
    }


def proof(
    world: World,
    client: str = "web",
    *,
    key: SigningKey | str | None = None,
    header: Mapping[str, Any] = NOTHING,
    **claims: object,
) -> dict[str, Any]:
    """Return the parameters by which a client proves who it is, as good as they can be but for what is changed."""
    return sent(sign(claims_for(world, client, **claims), key or key_of("ES256"), header))


def _library_key(key: SigningKey | str) -> ECKey | RSAKey | OKPKey | OctKey:
    if isinstance(key, str):
        return OctKey.import_key(key)
    members: Any = json.loads(signing_key_to_jwk(key))
    if members["kty"] == "EC":
        return ECKey.import_key(members)
    return RSAKey.import_key(members) if members["kty"] == "RSA" else OKPKey.import_key(members)
