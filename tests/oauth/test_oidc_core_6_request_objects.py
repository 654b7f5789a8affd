"""OpenID Connect Core §6: request objects of OpenID requests, by value and by reference, and unsigned where allowed."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest

from asserting import unsigned
from everbearer.oauth.authorization.endpoint import AuthorizationRefused, resume_authorization_request
from everbearer.oauth.authorization.request import AuthorizationRequest
from everbearer.oauth.authorization.request_uris import LIFETIME, LONGEST_URI, OWN
from everbearer.oauth.encoding import base64url
from everbearer.oauth.errors import InvalidRequestUri, TemporarilyUnavailable
from protected import FILES, NOTES, VAULT, with_resources
from request_objects import REQUEST_URI, alone, asked, lenient, let_sign, publishing, request_object
from world import ANY_STORE, World, answer_of

pytestmark = ANY_STORE

OUTSIDE = {"response_type": "code", "scope": "openid"}
"""What stands outside of the request object of any OpenID request."""


@pytest.fixture(autouse=True)
async def signing(world: World) -> None:
    """Let the client `web` sign its requests, and keep them at a URI."""
    await let_sign(world, request_uris=(REQUEST_URI,))


def of_openid(client: str = "web", **parameters: str | None) -> dict[str, str | None]:
    return alone(client, **OUTSIDE, **parameters)


async def ask(world: World, **parameters: str | None) -> AuthorizationRequest:
    return await world.validate({**of_openid(), **parameters})


async def error_of(world: World, **parameters: str | None) -> str:
    with pytest.raises(AuthorizationRefused) as told:
        await ask(world, **parameters)
    return told.value.error.error


def hash_of(document: str) -> str:
    return base64url(sha256(document.encode()).digest())


# By value


@pytest.mark.spec("OpenID Connect Core", "6.1", "6.3.3")
async def test_what_stands_inside_supersedes_and_the_rest_is_taken_from_outside(world: World) -> None:
    text = request_object(world, state="inside", client_id=None, response_type=None, max_age=5)

    request = await ask(world, request=text, state="outside", nonce="outside", prompt="login", max_age="9")

    assert (request.state, request.nonce, request.max_age) == ("inside", "outside", 5)
    assert (request.response_type, request.prompt, request.scope) == ("code", frozenset({"login"}), ("openid", "email"))


@pytest.mark.spec("OpenID Connect Core", "6.1")
@pytest.mark.parametrize("outside", [None, "https://web.example/cb", "https://elsewhere.example/cb"])
async def test_the_redirect_uri_inside_is_the_one_that_is_used(world: World, outside: str | None) -> None:
    request = await ask(world, request=request_object(world), redirect_uri=outside)

    assert request.redirect_uri == "https://web.example/cb"


@pytest.mark.spec("OpenID Connect Core", "6.1")
@pytest.mark.parametrize(
    ("inside", "outside"),
    [
        ({"response_type": "code id_token"}, {}),
        ({}, {"response_type": None}),
        ({"client_id": "spa"}, {}),
    ],
    ids=str,
)
async def test_response_type_and_client_id_must_match_those_outside(
    world: World, inside: dict[str, Any], outside: dict[str, Any]
) -> None:
    assert await error_of(world, request=request_object(world, **inside), **outside) == "invalid_request_object"


@pytest.mark.spec("RFC 8707", "2")
async def test_what_may_be_repeated_is_taken_from_inside_or_else_from_outside(world: World) -> None:
    protecting = await with_resources(world, "web")
    outside = {"resource": VAULT, "audience": "a:outside"}

    request = await ask(
        protecting, request=request_object(world, scope="openid read", resource=[NOTES, FILES]), **outside
    )

    assert request.resources == (NOTES, FILES)
    assert request.parameters.every("audience") == ("a:outside",)


# Unsigned, where that is allowed


@pytest.mark.spec("OpenID Connect Core", "6.1")
@pytest.mark.parametrize("by_setting", [True, False])
async def test_an_unsigned_one_is_taken_by_a_setting_of_the_client_or_the_profile(
    world: World, by_setting: bool
) -> None:
    text = unsigned(asked(world), alg="none")
    if by_setting:
        await world.change_client("web", jwks="", request_object_signing_alg="none")

    request = await ask(world if by_setting else lenient(world), request=text)

    assert request.state == "inside"


@pytest.mark.spec("OpenID Connect Dynamic Client Registration", "2")
async def test_an_algorithm_that_is_registered_counts_in_any_profile(world: World) -> None:
    await world.change_client("web", request_object_signing_alg="ES256")

    text = unsigned(asked(world), alg="none")

    assert await error_of(lenient(world), request=text) == "invalid_request_object"


@pytest.mark.spec("OpenID Connect Core", "6.1")
async def test_an_unsigned_one_has_no_signature(world: World) -> None:
    text = unsigned(asked(world), alg="none") + "e30"

    assert await error_of(lenient(world), request=text) == "invalid_request_object"


# By reference


@pytest.mark.spec("OpenID Connect Core", "6.2")
@pytest.mark.spec("RFC 9101", "5.2", "5.2.3")
async def test_it_is_fetched_from_a_uri_that_is_registered(world: World) -> None:
    serving, published = publishing(world, request_object(world) + "\n")

    request = await ask(serving, request_uri=REQUEST_URI)

    assert (request.state, published.asked) == ("inside", [REQUEST_URI])


@pytest.mark.spec("RFC 9101", "6.3")
async def test_of_a_request_without_openid_outside_nothing_outside_counts(world: World) -> None:
    serving, _ = publishing(world, request_object(world, state=None))

    request = await serving.validate(alone(request_uri=REQUEST_URI, state="outside"))

    assert request.state == ""


@pytest.mark.spec("OpenID Connect Core", "6.2")
async def test_a_fragment_holds_the_hash_of_what_stands_there(world: World) -> None:
    text = request_object(world)
    serving, _ = publishing(world, text)

    assert (await ask(serving, request_uri=f"{REQUEST_URI}#{hash_of(text)}")).state == "inside"
    assert await error_of(serving, request_uri=f"{REQUEST_URI}#{hash_of('other')}") == "invalid_request_uri"
    assert (await ask(serving, request_uri=f"{REQUEST_URI}#version-2")).state == "inside"


@pytest.mark.spec("OpenID Connect Dynamic Client Registration", "2")
async def test_a_fragment_that_is_registered_is_the_only_one(world: World) -> None:
    text = request_object(world)
    serving, published = publishing(world, text)
    pinned = f"{REQUEST_URI}#{hash_of(text)}"
    await world.change_client("web", request_uris=(pinned,))

    assert (await ask(serving, request_uri=pinned)).state == "inside"
    for uri in (REQUEST_URI, f"{REQUEST_URI}#{hash_of('other')}"):
        assert await error_of(serving, request_uri=uri) == "invalid_request_uri"
    assert published.asked == [pinned]


@pytest.mark.spec("RFC 9101", "10.4.1", "10.4.2")
@pytest.mark.parametrize(
    "uri",
    [
        "https://web.example/request.jwt/",
        "https://web.example/request.jwt?x",
        "https://WEB.example/request.jwt",
        "https://elsewhere.example/request.jwt",
        "https://web.example/request.jwt@elsewhere.example",
        "http://169.254.169.254/latest",
        "http://web.example/request.jwt",
        "file:///etc/passwd",
        "urn:ietf:params:oauth:request_uri:x",
        f"{REQUEST_URI}#{'x' * LONGEST_URI}",
        f"{OWN}x",
        OWN,
        "",
    ],
)
async def test_nothing_is_fetched_that_is_not_registered(world: World, uri: str) -> None:
    serving, published = publishing(world, request_object(world))

    error = await error_of(serving, request_uri=uri, redirect_uri=None)

    # An empty one is as good as none, and the request lacks its redirect_uri.
    assert error == ("invalid_request_uri" if uri else "invalid_request")
    assert published.asked == []


@pytest.mark.spec("OpenID Connect Core", "3.1.2.6")
async def test_a_client_that_registered_none_is_told_that_it_can_have_none(world: World) -> None:
    await world.change_client("web", request_uris=())
    serving, published = publishing(world, request_object(world))

    assert await error_of(serving, request_uri=REQUEST_URI) == "request_uri_not_supported"
    assert published.asked == []


@pytest.mark.spec("OpenID Connect Core", "3.1.2.6")
async def test_a_server_that_fetches_nothing_says_so(world: World) -> None:
    assert await error_of(world, request_uri=REQUEST_URI) == "request_uri_not_supported"


@pytest.mark.spec("RFC 9101", "7")
@pytest.mark.parametrize(
    ("trouble", "error"),
    [
        (InvalidRequestUri("the request_uri answers 404"), "invalid_request_uri"),
        (TemporarilyUnavailable("try the same again soon", retry_after=10), "temporarily_unavailable"),
    ],
)
async def test_what_cannot_be_fetched_is_told_where_the_request_says(
    world: World, trouble: InvalidRequestUri | TemporarilyUnavailable, error: str
) -> None:
    async def broken(*_: object, **__: object) -> str:
        raise trouble

    answer = await replace(world, server=replace(world.server, request_objects=broken)).authorization_response(
        "web", request_uri=REQUEST_URI, scope="openid", state="outside"
    )

    assert (answer.members["error"], answer.members["state"]) == (error, "outside")


@pytest.mark.spec("RFC 9101", "7")
@pytest.mark.parametrize("document", ["", "<html>", "x" * 20_000, "\u00e9", unsigned({}, alg="none")])
async def test_what_stands_there_must_be_a_request_object_all_the_same(world: World, document: str) -> None:
    serving, _ = publishing(world, document)

    assert await error_of(serving, request_uri=REQUEST_URI) == "invalid_request_object"


# While the user signs in


@pytest.mark.spec("RFC 9101", "4")
async def test_what_was_checked_stays_good_while_the_user_signs_in(world: World) -> None:
    world = await with_resources(world, "web")
    text = request_object(world, exp=world.clock.now + 1, scope="openid read", resource=[NOTES, FILES], prompt="login")
    first = await ask(world, request=text, nonce="outside")
    world.clock.advance(LIFETIME - 1)

    again = await resume_authorization_request(first.query, world.server)

    assert again.parameters == first.parameters
    assert again.resources == (NOTES, FILES)
    assert replace(again, resumption=first.resumption) == first
    assert again.resumption == first.resumption


@pytest.mark.spec("RFC 9101", "5.2")
async def test_what_stands_elsewhere_is_fetched_once_for_a_sign_in(world: World) -> None:
    serving, published = publishing(world, request_object(world))
    first = await ask(serving, request_uri=REQUEST_URI)

    again = await serving.validate(dict(first.resumption))

    assert (again.state, published.asked) == ("inside", [REQUEST_URI])


async def test_a_client_that_must_sign_need_not_do_it_twice(world: World) -> None:
    await let_sign(world, require_signed_request_object=True)
    first = await ask(world, request=request_object(world))

    assert (await world.validate(dict(first.resumption))).state == "inside"


async def test_nothing_can_be_added_to_what_was_checked(world: World) -> None:
    first = await ask(world, request=request_object(world))

    again = await world.validate({**first.resumption, "nonce": "added", "scope": "openid write", "flow": "f"})

    assert (again.nonce, again.scope) == ("", ("openid", "email"))
    assert again.resumption["flow"] == "f"


@pytest.mark.spec("RFC 9101", "10.2")
async def test_what_was_checked_is_good_for_a_while_and_for_its_client(world: World) -> None:
    first = await ask(world, request=request_object(world))

    assert await error_of(world, **{**first.resumption, "client_id": "spa"}) == "invalid_request_uri"
    world.clock.advance(LIFETIME)
    assert await error_of(world, **first.resumption) == "invalid_request_uri"


async def test_of_a_plain_request_the_parameters_ask_for_the_same_again(world: World) -> None:
    request = await world.ask("web", state="s")

    assert request.resumption == request.parameters


@pytest.mark.spec("RFC 9101", "11")
async def test_what_was_asked_inside_passes_no_browser_in_clear(world: World) -> None:
    first = await ask(world, request=request_object(world, login_hint="ada@example.com"))

    assert first.resumption.keys() == {"client_id", "request_uri"}
    assert "ada" not in first.resumption["request_uri"]


@pytest.mark.spec("OAuth 2.0 Form Post Response Mode", "2")
async def test_the_response_mode_inside_is_used_for_errors_too(world: World) -> None:
    with pytest.raises(AuthorizationRefused) as told:
        await ask(world, request=request_object(world, response_mode="form_post", exp=world.clock.now - 99))

    assert told.value.response is not None
    assert answer_of(told.value.response).status == 200
