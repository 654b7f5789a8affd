"""RFC 7636, proof key for code exchange, with S256 alone (RFC 9700 §2.1.1)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from everbearer.oauth.profile import OPENID_CERTIFICATION
from world import ANY_STORE, VERIFIER, World, s256

pytestmark = ANY_STORE


@pytest.mark.spec("RFC 7636", "4.6")
async def test_the_verifier_that_fits_its_challenge_redeems_the_code(world: World) -> None:
    verifier = "Aa0-._~" * 18

    code = await world.authorize(code_challenge=s256(verifier))

    assert (await world.redeem(code, code_verifier=verifier)).status == 200


@pytest.mark.spec("RFC 7636", "A", "B")
async def test_the_example_of_the_rfc_works(world: World) -> None:
    code = await world.authorize(code_challenge="E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")

    answer = await world.redeem(code, code_verifier="dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")

    assert answer.status == 200


@pytest.mark.spec("RFC 7636", "4.6")
async def test_a_verifier_that_does_not_fit_is_refused_and_the_code_stays_good(world: World) -> None:
    code = await world.authorize()

    answer = await world.redeem(code, code_verifier="x" * 43)

    assert (answer.status, answer.error) == (400, "invalid_grant")
    assert (await world.redeem(code)).status == 200


@pytest.mark.spec("RFC 7636", "4.1", "4.5")
@pytest.mark.parametrize("verifier", [None, "", "short", "x" * 42, "x" * 129, "x" * 42 + "!", "x" * 42 + "\u00e9"])
async def test_a_missing_or_malformed_verifier_is_an_invalid_request(world: World, verifier: str | None) -> None:
    answer = await world.redeem(await world.authorize(), code_verifier=verifier)

    assert (answer.status, answer.error) == (400, "invalid_request")


@pytest.mark.spec("RFC 9700", "2.1.1")
@pytest.mark.parametrize("client", ["spa", "rotating", "native"])
async def test_a_client_that_must_use_pkce_cannot_leave_it_out(world: World, client: str) -> None:
    answer = await world.authorization_response(client, code_challenge=None, code_challenge_method=None)

    assert answer.members["error"] == "invalid_request"


@pytest.mark.spec("RFC 9700", "2.1.1")
async def test_a_public_client_must_use_pkce_whatever_its_settings_say(world: World) -> None:
    await world.change_client("spa", require_pkce=False)

    answer = await world.authorization_response()

    assert answer.members["error"] == "invalid_request"


@pytest.mark.spec("RFC 9700", "2.1.1")
async def test_a_confidential_client_may_send_a_nonce_in_an_openid_request_instead(world: World) -> None:
    unbound: dict[str, Any] = {"code_challenge": None, "code_challenge_method": None}

    with_nonce = await world.authorization_response("rotating", scope="openid", nonce="n", **unbound)
    nothing = await world.authorization_response("rotating", scope="openid", **unbound)
    no_openid = await world.authorization_response("rotating", scope="email", nonce="n", **unbound)

    assert "code" in with_nonce.members
    assert [answer.members["error"] for answer in (nothing, no_openid)] == ["invalid_request"] * 2
    assert "with scope openid a nonce" in nothing.members["error_description"]


@pytest.mark.spec("RFC 9700", "2.1.1")
async def test_a_confidential_client_of_which_pkce_is_required_has_no_way_around_it(world: World) -> None:
    await world.change_client("rotating", require_pkce=True)

    answer = await world.authorization_response(
        "rotating", scope="openid", nonce="n", code_challenge=None, code_challenge_method=None
    )

    assert answer.members["error"] == "invalid_request"


@pytest.mark.spec("RFC 9700", "2.1.1")
@pytest.mark.parametrize(("client", "error"), [("rotating", None), ("spa", "invalid_request")])
async def test_a_profile_may_let_confidential_clients_off_both_and_no_public_one(
    world: World, client: str, error: str | None
) -> None:
    world = replace(world, server=replace(world.server, profile=OPENID_CERTIFICATION))

    answer = await world.authorization_response(client, code_challenge=None, code_challenge_method=None)

    assert answer.members.get("error") == error


@pytest.mark.spec("RFC 9700", "2.1.1")
async def test_a_confidential_client_may_be_let_off_pkce_and_may_use_it_all_the_same(world: World) -> None:
    without = await world.redeem(await world.authorize("web"), client="web")
    code = await world.authorize("web", code_challenge=s256(VERIFIER), code_challenge_method="S256")

    assert without.status == 200
    assert (await world.redeem(code, client="web")).error == "invalid_request"
    assert (await world.redeem(code, client="web", code_verifier=VERIFIER)).status == 200


@pytest.mark.spec("RFC 9700", "2.1.1", "4.8.2")
async def test_a_verifier_without_a_challenge_is_refused(world: World) -> None:
    answer = await world.redeem(await world.authorize("web"), client="web", code_verifier=VERIFIER)

    assert (answer.status, answer.error) == (400, "invalid_grant")


@pytest.mark.spec("RFC 9700", "2.1.1")
@pytest.mark.parametrize("method", ["plain", "s256", "S512", None])
async def test_only_s256_is_taken(world: World, method: str | None) -> None:
    answer = await world.authorization_response(code_challenge_method=method)

    assert answer.members["error"] == "invalid_request"


@pytest.mark.spec("RFC 7636", "4.3")
async def test_a_method_without_a_challenge_is_refused(world: World) -> None:
    answer = await world.authorization_response("web", code_challenge_method="S256")

    assert answer.members["error"] == "invalid_request"


@pytest.mark.spec("RFC 7636", "4.2")
@pytest.mark.parametrize("challenge", ["x" * 42, "x" * 44, "x" * 42 + "=", "x" * 42 + "+", "x"])
async def test_a_malformed_challenge_is_refused(world: World, challenge: str) -> None:
    answer = await world.authorization_response(code_challenge=challenge)

    assert answer.members["error"] == "invalid_request"
