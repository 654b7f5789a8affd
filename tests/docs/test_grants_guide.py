"""The guide to the grants: its Python runs over a small application, and does what the guide says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import pytest

import everbearer as eb
from docs.test_guides import run
from everbearer.oauth.crypto.jws import take_apart
from world import key_of

SECRET = "machine-secret-of-32-characters!"
_ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
KEYS = eb.key_set(key_of("ES256"))


@dataclass(frozen=True)
class Badge:
    """What opens doors."""

    user_id: str
    lost: bool = False


class Badges:
    """Where the application has them."""

    async def get(self, number: str) -> Badge | None:
        return {"7": Badge("ada"), "8": Badge("bob", lost=True)}.get(number)


async def _nobody(who: str) -> bool:  # noqa: ARG001 - the shape that the guide calls
    return False


async def _all_but_doors(subject: str, value: str) -> bool:  # noqa: ARG001 - the same
    return value != "doors"


async def _tenant(subject: str) -> str:
    return f"tenant of {subject}"


@pytest.fixture
async def guide() -> dict[str, Any]:
    """Return what the guide defines, over an application that has what it takes for granted."""
    store = eb.MemoryStore()
    sealer = eb.Sealer([b"the secret of a server, of 32 bytes"])
    everything_else = {
        "issuer": "https://id.example",
        "store": store,
        "sealer": sealer,
        "keys": lambda: KEYS,
        "scopes": {**eb.STANDARD_SCOPES, "doors": "Open doors"},
    }
    hashed = eb.hash_client_secret(SECRET, eb.AuthorizationServer(grants=eb.GRANTS, **everything_else))  # type: ignore[arg-type]
    defined = await run(
        "grants.md",
        everything_else=everything_else,
        secret=hashed,
        my_badges=Badges(),
        is_on_call=_nobody,
        is_suspended=_nobody,
        may_have=_all_but_doors,
        tenant_of=_tenant,
    )
    machine = eb.Client(
        client_id="machine",
        secrets=(hashed,),
        grant_types=("client_credentials", eb.TOKEN_EXCHANGE),
        scope=("doors", "email"),
    )
    for client in (defined["kiosk"], machine):
        await store.put_client(client, eb.Event(kind=eb.EventKind.CLIENT_CREATED, at=0))
    return defined


async def _ask(server: eb.AuthorizationServer, **form: str) -> tuple[int, Mapping[str, Any]]:
    request = eb.Request(
        method="POST",
        path="/oauth2/token",
        headers={"content-type": "application/x-www-form-urlencoded"},
        body=urlencode({"client_secret": SECRET, **form}).encode(),
    )
    response = await eb.token_endpoint(request, server)
    return response.status, json.loads(response.body)


async def test_a_grant_of_ones_own_gives_tokens_for_what_opens(guide: dict[str, Any]) -> None:
    server = eb.AuthorizationServer(
        grants={**eb.GRANTS, guide["KIOSK"]: guide["kiosk_grant"]}, **guide["everything_else"]
    )
    asked = {"client_id": "kiosk", "grant_type": guide["KIOSK"], "scope": "doors"}

    status, answer = await _ask(server, **asked, badge="7")

    assert (status, answer["scope"]) == (200, "doors")
    assert (await _ask(server, **asked, badge="8"))[1]["error"] == "invalid_grant"
    assert (await _ask(server, **asked))[1]["error"] == "invalid_request"


async def test_an_applications_word_is_heard_before_tokens_are_minted(guide: dict[str, Any]) -> None:
    status, answer = await _ask(guide["server"], client_id="machine", grant_type="client_credentials")

    token = take_apart(answer["access_token"])
    assert token is not None
    assert (status, answer["scope"], answer["api_base"]) == (200, "email", "https://api.example.com")
    assert token.claims["tenant"] == "tenant of machine"


async def test_who_is_not_on_call_does_not_act_for_users(guide: dict[str, Any]) -> None:
    exchange = {**eb.GRANTS, eb.TOKEN_EXCHANGE: eb.token_exchange_by(guide["on_call"])}
    server = eb.AuthorizationServer(grants=exchange, **guide["everything_else"])
    _, own = await _ask(server, client_id="machine", grant_type="client_credentials")
    subject = {"subject_token": own["access_token"], "subject_token_type": _ACCESS_TOKEN}
    actor = {"actor_token": own["access_token"], "actor_token_type": _ACCESS_TOKEN}

    alone, _ = await _ask(server, client_id="machine", grant_type=eb.TOKEN_EXCHANGE, **subject)
    status, refused = await _ask(server, client_id="machine", grant_type=eb.TOKEN_EXCHANGE, **subject, **actor)

    assert alone == 200
    assert (status, refused["error_description"]) == (400, "only who is on call may act for users")
