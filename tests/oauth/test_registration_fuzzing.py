"""Whatever a client says of itself, it is registered as something that works, or told what is wrong."""

from __future__ import annotations

import asyncio
import json
from functools import cache
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from everbearer.oauth.client_rules.client import client_problems
from everbearer.oauth.clients.metadata import SETTINGS, TOLD_AGAIN
from everbearer.storage.memory import MemoryStore
from registering import BUSY, REDIRECT, Registrar, new_registrar
from world import new_world

NAMES = st.sampled_from(
    [
        *SETTINGS,
        *TOLD_AGAIN,
        *("client_id", "client_secret", "client_name#fr", "logo_uri#x", "registration_access_token", "x", ""),
    ]
)
GOOD = st.sampled_from(
    [
        *(
            "authorization_code",
            "refresh_token",
            "client_credentials",
            "implicit",
            "code",
            "none",
            "id_token",
            "openid",
        ),
        *(
            "client_secret_basic",
            "client_secret_jwt",
            "private_key_jwt",
            "RS256",
            "ES256",
            "HS256",
            "ECDH-ES",
            "A256GCM",
        ),
        *("web", "native", "public", "pairwise", "openid offline_access", "openid profile read"),
        *(REDIRECT, BUSY, "https://app.example/x#y", "http://127.0.0.1:1/", "com.example.app:/cb", "http://[::1]/"),
        *("https://[", "https://a@b/", "javascript:x", "Calendar", "Bank\u202e", "\ud800", "e30.e30.e30"),
    ]
)
TEXTS = st.text(max_size=20) | GOOD
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS | st.just("keys"), inner, max_size=4),
    max_leaves=8,
)
JWKS = st.fixed_dictionaries({"keys": st.lists(st.dictionaries(TEXTS | st.sampled_from(["kty", "d"]), VALUES))})
METADATA = st.dictionaries(NAMES, VALUES | JWKS | st.lists(GOOD, max_size=3), max_size=8)
LIKELY = st.fixed_dictionaries(
    {"redirect_uris": st.lists(GOOD.filter(lambda text: ":" in text), min_size=1, max_size=2)},
    optional={
        "grant_types": st.lists(GOOD, max_size=3),
        "response_types": st.lists(GOOD, max_size=2),
        "token_endpoint_auth_method": GOOD,
        "scope": GOOD,
        "subject_type": GOOD,
        "jwks": JWKS,
        "sector_identifier_uri": GOOD,
    },
)


@cache
def registrar() -> Registrar:
    return new_registrar(asyncio.run(new_world(MemoryStore())))


def encoded(members: Any) -> bytes:
    return json.dumps(members).encode()


@pytest.mark.spec("RFC 7591", "3.2.2")
@given(body=METADATA.map(encoded) | LIKELY.map(encoded) | st.binary(max_size=60), token=st.none() | TEXTS)
@settings(max_examples=600)
def test_metadata_are_registered_or_refused_and_never_a_server_error(body: bytes, token: str | None) -> None:
    headers = {} if token is None else {"authorization": f"Bearer {token}"}

    answer = asyncio.run(registrar().send(body, headers=headers))

    assert answer.status in {201, 400, 401, 503}
    assert answer.status != 503 or BUSY.encode() in body
    if answer.status == 201:
        client = asyncio.run(registrar().world.client(answer.json["client_id"]))
        assert client_problems(client) == ()
        assert not client.first_party


@given(members=METADATA | LIKELY)
@settings(max_examples=250)
def test_a_change_is_made_or_refused_and_never_a_server_error(members: dict[str, Any]) -> None:
    told = asyncio.run(registrar().registered())

    answer = asyncio.run(registrar().manage("PUT", told, members={**members, "client_id": told["client_id"]}))

    assert answer.status in {200, 400, 503}
    assert asyncio.run(registrar().manage("GET", told)).status == 200


@given(members=LIKELY)
@settings(max_examples=120)
def test_what_was_registered_can_be_sent_back_and_changes_nothing(members: dict[str, Any]) -> None:
    answer = asyncio.run(registrar().send(encoded(members)))
    assume(answer.status == 201)
    told = answer.json

    again = asyncio.run(registrar().update(told))

    assert again.json == {name: value for name, value in told.items() if name != "client_secret"}
