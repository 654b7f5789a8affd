"""What tests of tokens by the browser share: clients that may have them, and the request and answer of such a flow."""

from __future__ import annotations

from hashlib import sha256, sha512
from typing import Any
from urllib.parse import urlsplit

from everbearer.oauth.client import AUTHORIZATION_CODE, IMPLICIT, REFRESH_TOKEN
from everbearer.oauth.encoding import base64url
from everbearer.oauth.response_types import HYBRID_RESPONSE_TYPES, IMPLICIT_RESPONSE_TYPES
from world import World, claims_of

NONCE = "n-0S6_WzA2Mj"


async def let_have_tokens(world: World, client: str = "web", *, code: bool = True) -> None:
    """Let a client have tokens by the browser, beside codes or without."""
    grant_types = (AUTHORIZATION_CODE, REFRESH_TOKEN, IMPLICIT) if code else (IMPLICIT,)
    hybrid = ("code", *HYBRID_RESPONSE_TYPES) if code else ()
    await world.change_client(client, response_types=(*hybrid, *IMPLICIT_RESPONSE_TYPES), grant_types=grant_types)


async def members_of(world: World, response_type: str, client: str = "web", **changes: Any) -> dict[str, str]:
    """Return what an authorization response carries in the fragment."""
    parameters = {"scope": "openid email", "nonce": NONCE, "state": "s", **changes}
    answer = await world.authorization_response(client, response_type=response_type, **parameters)
    assert answer.status == 303
    parts = urlsplit(answer.headers["location"])
    assert (parts.query, bool(parts.fragment)) == ("", True)
    return answer.members


def left_half(value: str, alg: str) -> str:
    """Return the half hash of a value, as `at_hash` and `c_hash` hold it."""
    digest = (sha512 if alg == "EdDSA" else sha256)(value.encode()).digest()
    return base64url(digest[: len(digest) // 2])


def id_token_of(members: dict[str, str]) -> Any:
    return claims_of(members["id_token"])
