"""Request objects by reference: at URIs that clients registered, and at our own while the user signs in.

RFC 9101 §5.2, OpenID Connect Core §6.2.
"""

from __future__ import annotations

import hmac
import json
import re
from hashlib import sha256
from typing import Any

from everbearer.oauth.authorization_server import AuthorizationServer
from everbearer.oauth.client import Client
from everbearer.oauth.encoding import base64url, compact_json, from_base64url
from everbearer.oauth.errors import InvalidRequestUri, RequestUriNotSupported
from everbearer.oauth.models import MINUTE
from everbearer.oauth.parameters import MAY_REPEAT, Parameters

LONGEST_URI = 512
"""Characters: "The entire Request URI SHOULD NOT exceed 512 ASCII characters" (RFC 9101 §5.2)."""
OWN = "urn:everbearer:request:"
"""How the URIs begin that stand for requests that were checked: URNs, as the server's own are (RFC 9101 §5.2)."""
LIFETIME = 30 * MINUTE
"""Seconds that the user has to sign in and consent once a request object has been checked."""

_PURPOSE = "authorization request"
_HASH = re.compile(r"[A-Za-z0-9_-]{43}")


async def request_object_at(uri: str, client: Client, server: AuthorizationServer) -> str:
    """Return the request object at a URI that its client registered.

    Raises:
        RequestUriNotSupported: this client has registered none.
        InvalidRequestUri: it is not registered, or what stands there is not what it says.
        TemporarilyUnavailable: it cannot be fetched at this moment.
    """
    if not client.request_uris:
        raise RequestUriNotSupported("this client has no request_uris registered: send the object itself, as request")
    address, _, fragment = uri.partition("#")
    # With a fragment that is registered nothing else will do; without, any version of what stands there.
    if len(uri) > LONGEST_URI or not {uri, address} & set(client.request_uris):
        raise InvalidRequestUri("request_uri is not registered for this client; register it as it is sent")
    document = await server.request_objects(uri)
    # "the URI SHOULD include the base64url-encoded SHA-256 hash of the referenced resource contents as the fragment
    # component of the URI" (OpenID Connect Core §6.2).
    if _HASH.fullmatch(fragment) and not is_hash_of(fragment, document):
        raise InvalidRequestUri("what stands at request_uri does not have the SHA-256 that its fragment says")
    return document.strip()


def is_hash_of(fragment: str, document: str) -> bool:
    """Return whether the fragment of a request URI is the hash of a document."""
    return hmac.compare_digest(base64url(sha256(document.encode()).digest()).encode(), fragment.encode())


def is_own(uri: str) -> bool:
    """Return whether a request URI is one of ours."""
    return uri.startswith(OWN)


def resumption_of(asked: Parameters, client: Client, server: AuthorizationServer) -> Parameters:
    """Return parameters that ask, for a while, for what a request object asked for: so that it need not be good longer.

    They are sealed and not stored, as whoever has them could have sent the same request again.
    """
    repeated = {name: asked.every(name) for name in sorted(MAY_REPEAT) if asked.every(name)}
    members = compact_json([client.client_id, server.now() + LIFETIME, dict(asked), repeated])
    sealed = base64url(server.sealer.seal(_PURPOSE, members))
    return Parameters({"client_id": client.client_id, "request_uri": f"{OWN}{sealed}"})


def resume(uri: str, client: Client, server: AuthorizationServer) -> Parameters:
    """Return what one of our own request URIs stands for.

    Raises:
        InvalidRequestUri: it is another client's, too old, or not ours after all.
    """
    sealed = from_base64url(uri.removeprefix(OWN))
    plain = server.sealer.unseal(_PURPOSE, sealed) if sealed else None
    members: list[Any] = json.loads(plain) if plain else ["", 0, {}, {}]
    client_id, until, single, repeated = members
    if client_id != client.client_id or server.now() >= until:
        raise InvalidRequestUri("this request took too long; go back to the application and begin anew")
    return Parameters(single, {name: tuple(values) for name, values in repeated.items()})
