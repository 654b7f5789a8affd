"""The authorization request in two phases, kept as text in between."""

from __future__ import annotations

import pytest

from everbearer.oauth.authorization.endpoint import (
    AuthorizationRefused,
    complete_authorization,
    resume_authorization_request,
)
from world import ADA, ANY_STORE, World, answer_of

pytestmark = ANY_STORE

WHOLE = {
    "scope": "openid offline_access",
    "state": "a state & more=ü",
    "nonce": "a nonce",
    "prompt": "consent login",
    "max_age": "60",
    "login_hint": "ada+oauth@example.com",
    "claims": '{"id_token": {"name": null}}',
}


@pytest.mark.spec("RFC 6749", "4.1.1")
async def test_a_request_that_is_kept_as_text_comes_back_as_it_was(world: World) -> None:
    request = await world.ask(**WHOLE)

    assert await resume_authorization_request(request.query, world.server) == request


async def test_a_resumed_request_is_completed_like_the_first(world: World) -> None:
    kept = (await world.ask()).query
    world.clock.advance(600)
    resumed = await resume_authorization_request(kept, world.server)
    response = await complete_authorization(resumed, world.authentication(), world.server)

    redeemed = await world.redeem(answer_of(response).members["code"])
    assert redeemed.status == 200
    assert (await world.grant(redeemed.refresh_token)).subject == ADA


async def test_a_client_that_was_disabled_meanwhile_gets_nothing(world: World) -> None:
    kept = (await world.ask()).query
    await world.change_client("spa", disabled_at=world.clock.now)

    with pytest.raises(AuthorizationRefused, match="client_id"):
        await resume_authorization_request(kept, world.server)


async def test_a_redirect_uri_that_somebody_put_into_what_was_kept_is_refused(world: World) -> None:
    kept = (await world.ask()).query.replace("spa.example", "evil.example")

    with pytest.raises(AuthorizationRefused) as refused:
        await resume_authorization_request(kept, world.server)

    assert refused.value.response is None


@pytest.mark.parametrize("kept", ["client_id=spa&client_id=web", "%ff=%ff", "a=%00"])
async def test_what_is_no_query_is_refused(world: World, kept: str) -> None:
    with pytest.raises(AuthorizationRefused) as refused:
        await resume_authorization_request(kept, world.server)

    assert refused.value.response is None
