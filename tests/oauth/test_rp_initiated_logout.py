"""OpenID Connect RP-Initiated Logout 1.0: what the request says, and the way back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from everbearer.oauth.errors import InvalidRequest
from everbearer.oauth.parameters import Parameters
from everbearer.oauth.sessions.end_session import EndSessionRequest, signed_out_redirect, validate_end_session_request
from everbearer.oauth.tokens.id_tokens import Hint
from everbearer.oauth.users.sid import sid_for
from world import ANY_STORE, World, answer_of

pytestmark = ANY_STORE

BYE = "https://spa.example/bye"


async def _ask(world: World, **parameters: str) -> EndSessionRequest:
    await world.change_client("spa", post_logout_redirect_uris=(BYE, BYE + "?x=1"))
    return await validate_end_session_request(Parameters(parameters), world.server)


@pytest.mark.spec("OpenID Connect RP-Initiated Logout", "2")
async def test_a_hint_names_the_client_the_user_and_the_session(world: World) -> None:
    hint = (await world.sign_in()).json["id_token"]

    request = await _ask(world, id_token_hint=hint, post_logout_redirect_uri=BYE, state="s")

    assert request.client == await world.client("spa")
    assert request.hint == Hint(subject="ada", client_id="spa", sid=sid_for("spa", "browser"))
    assert (request.post_logout_redirect_uri, request.unregistered_uri) == (BYE, False)


@pytest.mark.spec("OpenID Connect RP-Initiated Logout", "4")
async def test_a_hint_that_has_expired_is_as_good(world: World) -> None:
    hint = (await world.sign_in()).json["id_token"]
    world.clock.advance(100_000)

    assert (await _ask(world, id_token_hint=hint)).hint is not None


@pytest.mark.spec("OpenID Connect RP-Initiated Logout", "2")
@pytest.mark.parametrize(
    ("session_id", "subject", "belongs"),
    [("browser", "ada", True), ("another", "ada", False), ("another", "bob", False)],
)
async def test_a_hint_belongs_to_the_session_that_it_was_issued_in_alone(
    world: World, session_id: str, subject: str, *, belongs: bool
) -> None:
    hint = (await world.sign_in()).json["id_token"]

    request = await _ask(world, id_token_hint=hint)

    assert request.belongs_to(session_id, subject, world.server) is belongs


@pytest.mark.spec("OpenID Connect RP-Initiated Logout", "2")
@pytest.mark.parametrize(("subject", "belongs"), [("ada", True), ("bob", False)])
async def test_a_hint_of_a_sign_in_without_a_session_belongs_to_all_of_its_user(
    world: World, subject: str, *, belongs: bool
) -> None:
    answer = await world.sign_in(authentication=world.authentication(session_id=""))

    request = await _ask(world, id_token_hint=answer.json["id_token"])

    assert request.belongs_to("any", subject, world.server) is belongs


@pytest.mark.spec("OpenID Connect RP-Initiated Logout", "2")
async def test_without_a_hint_nothing_belongs_to_a_session(world: World) -> None:
    assert not (await _ask(world, client_id="spa")).belongs_to("browser", "ada", world.server)


@pytest.mark.spec("OpenID Connect RP-Initiated Logout", "4")
async def test_a_hint_for_a_client_that_is_gone_still_belongs_to_its_session(world: World) -> None:
    hint = (await world.sign_in()).json["id_token"]
    await _ask(world)
    await world.delete_client("spa")

    request = await validate_end_session_request(Parameters({"id_token_hint": hint}), world.server)

    assert request.client is None
    assert request.belongs_to("browser", "ada", world.server)


@pytest.mark.spec("OpenID Connect RP-Initiated Logout", "2")
@pytest.mark.parametrize("hint", ["made-up", "e30.e30.e30", "access token", "another issuer's"])
async def test_a_hint_of_nobody_is_refused(world: World, hint: str) -> None:
    answer = await world.sign_in()
    if hint == "access token":
        hint = answer.access_token
    if hint == "another issuer's":
        other = replace(world, server=replace(world.server, issuer="https://other.example"))
        hint = (await other.sign_in()).json["id_token"]

    with pytest.raises(InvalidRequest):
        await _ask(world, id_token_hint=hint)


@pytest.mark.spec("OpenID Connect RP-Initiated Logout", "2")
async def test_a_hint_and_a_client_id_must_agree(world: World) -> None:
    hint = (await world.sign_in()).json["id_token"]

    assert (await _ask(world, id_token_hint=hint, client_id="spa")).hint is not None
    with pytest.raises(InvalidRequest):
        await _ask(world, id_token_hint=hint, client_id="partner")


@pytest.mark.spec("OpenID Connect RP-Initiated Logout", "2", "3")
async def test_a_client_id_is_enough_to_be_sent_back_and_proves_nothing(world: World) -> None:
    request = await _ask(world, client_id="spa", post_logout_redirect_uri=BYE)

    assert (request.post_logout_redirect_uri, request.hint) == (BYE, None)


@pytest.mark.spec("OpenID Connect RP-Initiated Logout", "3")
@pytest.mark.parametrize(
    ("client_id", "uri"),
    [("spa", BYE + "/"), ("spa", "https://evil.example"), ("partner", BYE), ("nobody", BYE), ("", BYE)],
)
async def test_a_place_that_is_not_registered_for_the_client_is_not_gone_to(
    world: World, client_id: str, uri: str
) -> None:
    named = {"client_id": client_id} if client_id else {}

    request = await _ask(world, post_logout_redirect_uri=uri, **named)

    assert (request.post_logout_redirect_uri, request.unregistered_uri) == ("", True)


@pytest.mark.spec("OpenID Connect RP-Initiated Logout", "2")
async def test_everything_may_be_left_out(world: World) -> None:
    request = await _ask(world)

    assert (request.client, request.hint, request.unregistered_uri, request.state) == (None, None, False, "")


@pytest.mark.spec("OpenID Connect RP-Initiated Logout", "3")
@pytest.mark.parametrize(
    ("uri", "state", "location"),
    [
        (BYE, "", BYE),
        (BYE, "a b&c", BYE + "?state=a%20b%26c"),
        (BYE + "?x=1", "s", BYE + "?x=1&state=s"),
    ],
)
async def test_the_state_goes_back_with_the_browser(world: World, uri: str, state: str, location: str) -> None:
    request = await _ask(world, client_id="spa", post_logout_redirect_uri=uri, state=state)

    answer = answer_of(signed_out_redirect(request))

    assert (answer.status, answer.headers["location"]) == (303, location)
