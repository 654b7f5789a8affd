"""Resources that want a better or a more recent sign-in (RFC 9470)."""

from __future__ import annotations

from typing import Any

import pytest

from everbearer.resource_server import InsufficientUserAuthentication, Introspection, requirement
from resource_server.issuer_world import CREDENTIALS, Issuer
from world import ACR, ADA, NOW

BETTER = "https://id.example/acr/passkey"


async def token_of(issuer: Issuer, acr: str = ACR, client: str = "spa") -> str:
    return await issuer.user_token(client, authentication=issuer.world.authentication(acr=acr))


async def test_a_sign_in_that_is_good_enough_will_do(issuer: Issuer) -> None:
    required = requirement(acr_values=(BETTER, ACR), max_age=300)

    assert issuer.api().validate(await token_of(issuer), required).acr == ACR


@pytest.mark.spec("RFC 9470", "3")
@pytest.mark.parametrize("acr", ["", "https://id.example/acr/none"])
async def test_a_sign_in_that_is_too_weak_is_challenged(issuer: Issuer, acr: str) -> None:
    api, required = issuer.api(), requirement("openid", acr_values=(BETTER, ACR))
    with pytest.raises(InsufficientUserAuthentication) as refused:
        api.validate(await token_of(issuer, acr), required)
    response = api.refusal(refused.value, required)

    assert (response.status, response.error) == (401, "insufficient_user_authentication")
    assert dict(response.headers)["WWW-Authenticate"] == (
        'Bearer realm="api", error="insufficient_user_authentication", '
        'error_description="a different authentication level is required", '
        f'acr_values="{BETTER} {ACR}", '
        'resource_metadata="https://api.example/.well-known/oauth-protected-resource/v1"'
    )


@pytest.mark.spec("RFC 9470", "3")
async def test_a_sign_in_that_is_too_old_is_challenged(issuer: Issuer) -> None:
    api, required = issuer.api(), requirement(max_age=300)
    text = await token_of(issuer)
    issuer.world.clock.advance(330)
    assert api.validate(text, required).auth_time == NOW
    issuer.world.clock.advance(1)
    with pytest.raises(InsufficientUserAuthentication) as refused:
        api.validate(text, required)

    assert (
        'error_description="more recent authentication is required", max_age="300", '
        in dict(api.refusal(refused.value, required).headers)["WWW-Authenticate"]
    )


@pytest.mark.spec("RFC 9470", "3")
async def test_both_wishes_stand_in_one_challenge(issuer: Issuer) -> None:
    api, required = issuer.api(), requirement(acr_values=(BETTER,), max_age=0)
    with pytest.raises(InsufficientUserAuthentication) as refused:
        api.validate(await token_of(issuer), required)

    assert (
        f'acr_values="{BETTER}", max_age="0"' in dict(api.refusal(refused.value, required).headers)["WWW-Authenticate"]
    )


async def test_a_token_in_which_no_user_has_a_part_is_never_recent(issuer: Issuer) -> None:
    with pytest.raises(InsufficientUserAuthentication):
        issuer.api().validate(await issuer.token(), requirement(max_age=10**9))


@pytest.mark.spec("RFC 9470", "6.2")
async def test_opaque_tokens_can_be_asked_for_more_as_well(issuer: Issuer) -> None:
    api = issuer.api(introspection=Introspection(**CREDENTIALS))
    text = await token_of(issuer, client="opaque")

    assert api.validate(text, requirement(acr_values=(ACR,), max_age=60)).subject == ADA
    with pytest.raises(InsufficientUserAuthentication):
        api.validate(text, requirement(acr_values=(BETTER,)))


def test_an_age_that_no_sign_in_can_have_is_refused_when_it_is_written() -> None:
    with pytest.raises(ValueError, match="a number of seconds from 0 on"):
        requirement(max_age=-1)


def test_a_level_that_no_challenge_can_hold_is_refused_when_it_is_written() -> None:
    with pytest.raises(ValueError, match="has characters that neither"):
        requirement(acr_values=("two words",))


def test_one_level_is_not_taken_for_several() -> None:
    one: Any = "urn:example:acr:passkey"

    with pytest.raises(ValueError, match="acr_values must be a tuple of str, not a str"):
        requirement(acr_values=one)
