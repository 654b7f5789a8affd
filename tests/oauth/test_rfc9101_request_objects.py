"""RFC 9101: authorization requests as JWTs that the client signed, of which nothing outside counts."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from asserting import jwks_of, sign, unsigned, with_keys, with_secret
from everbearer.oauth.authorization.endpoint import AuthorizationRefused
from everbearer.oauth.authorization.request import AuthorizationRequest
from everbearer.oauth.authorization.request_objects import LONGEST
from everbearer.oauth.authorization.response_modes import ResponseMode
from everbearer.oauth.clients.assertions import LEEWAY, check_assertion, read_assertion
from everbearer.oauth.crypto.keys import ALGORITHMS, generate_signing_key
from everbearer.oauth.encoding import base64url
from everbearer.oauth.errors import InvalidClient, TemporarilyUnavailable
from everbearer.oauth.messages import Request
from everbearer.oauth.parameters import Parameters
from protected import FILES, NOTES, with_resources
from request_objects import alone, asked, lenient, let_sign, request_object
from world import ANY_STORE, ISSUER, NOW, SECRET, World, answer_of, key_of

pytestmark = ANY_STORE


@pytest.fixture(autouse=True)
async def signing(world: World) -> None:
    """Let the client `web` sign its requests."""
    await let_sign(world)


async def ask(world: World, text: str, client: str = "web", **outside: str | None) -> AuthorizationRequest:
    return await world.validate(alone(client, request=text, **outside))


async def refused(world: World, text: str, client: str = "web", **outside: str | None) -> AuthorizationRefused:
    with pytest.raises(AuthorizationRefused) as told:
        await ask(world, text, client, **outside)
    return told.value


async def error_of(world: World, text: str, client: str = "web") -> tuple[str, str]:
    """Return the error of a refusal, and what it says."""
    told = await refused(world, text, client)
    return told.error.error, told.error.description


# What is taken


@pytest.mark.spec("RFC 9101", "5.1", "6.2", "6.3")
@pytest.mark.parametrize("alg", ALGORITHMS)
async def test_parameters_are_read_out_of_what_the_client_signed(world: World, alg: str) -> None:
    request = await ask(world, request_object(world, key=key_of(alg)))

    assert (request.client.client_id, request.response_type, request.scope) == ("web", "code", ("openid", "email"))
    assert (request.redirect_uri, request.redirect_uri_sent) == ("https://web.example/cb",) * 2
    assert request.state == "inside"


@pytest.mark.spec("RFC 9101", "5")
async def test_a_code_that_was_asked_for_so_is_redeemed_as_any_other(world: World) -> None:
    code = await world.finish(await ask(world, request_object(world, nonce="n")), world.authentication())

    assert (await world.redeem(code, client="web")).json["scope"] == "openid email"


@pytest.mark.spec("OpenID Connect Core", "6.1", "10.1")
async def test_a_secret_that_is_kept_sealed_authenticates_a_request_object(world: World) -> None:
    await with_secret(world, "rotating")
    await world.change_client("rotating", require_pkce=False)

    assert (await ask(world, request_object(world, "rotating", key=SECRET), "rotating")).state == "inside"


@pytest.mark.spec("RFC 9101", "10.8")
@pytest.mark.parametrize("typ", ["oauth-authz-req+jwt", "application/oauth-authz-req+jwt", "JWT", None])
async def test_it_may_say_what_it_is(world: World, typ: str | None) -> None:
    assert (await ask(world, request_object(world, header={"typ": typ}))).state == "inside"


@pytest.mark.spec("RFC 9101", "4")
@pytest.mark.parametrize("aud", [ISSUER, [ISSUER], ["https://other.example", ISSUER], None], ids=str)
async def test_the_audience_is_the_server_or_holds_it(world: World, aud: object) -> None:
    assert (await ask(world, request_object(world, aud=aud))).state == "inside"


@pytest.mark.spec("RFC 7519", "4.1.4", "4.1.5")
@pytest.mark.parametrize(
    "times",
    [
        {"exp": NOW - LEEWAY + 1},
        {"exp": NOW + 10**9},
        {"exp": None},
        {"nbf": NOW + LEEWAY, "iat": NOW + LEEWAY},
        {"nbf": NOW - 10**6},
    ],
    ids=str,
)
async def test_clocks_may_differ_a_little(world: World, times: dict[str, Any]) -> None:
    assert (await ask(world, request_object(world, **times))).state == "inside"


@pytest.mark.spec("RFC 9101", "4")
async def test_numbers_and_objects_stand_inside_as_such(world: World) -> None:
    claims = {"userinfo": {"name": {"essential": True}}, "id_token": {"email": None}}

    request = await ask(world, request_object(world, max_age=86400, claims=claims, prompt=None, x_extra=True))

    assert request.max_age == 86400
    assert request.claims is not None
    assert (set(request.claims.userinfo), set(request.claims.id_token)) == ({"name"}, {"email"})
    assert request.parameters["x_extra"] == "true"


@pytest.mark.spec("RFC 6749", "3.1")
async def test_members_without_a_value_are_as_good_as_left_out(world: World) -> None:
    text = sign({**asked(world), "nonce": "", "login_hint": None}, key_of("ES256"))

    request = await ask(world, text)

    assert not {"nonce", "login_hint"} & request.parameters.keys()


@pytest.mark.spec("RFC 8707", "2")
@pytest.mark.parametrize(("resource", "every"), [(NOTES, (NOTES,)), ([NOTES, FILES], (NOTES, FILES)), ([], ())])
async def test_what_may_be_repeated_may_be_an_array(world: World, resource: object, every: tuple[str, ...]) -> None:
    protecting = await with_resources(world, "web")

    request = await ask(protecting, request_object(world, scope="openid read", resource=resource))

    assert request.resources == every


@pytest.mark.spec("RFC 9101", "4")
async def test_what_a_jwt_says_of_itself_is_no_parameter(world: World) -> None:
    request = await ask(world, request_object(world, sub="somebody", jti="1", iat=NOW, nbf=NOW))

    assert not {"iss", "sub", "aud", "exp", "nbf", "iat", "jti"} & request.parameters.keys()


# What outside of it counts: nothing


@pytest.mark.spec("RFC 9101", "5", "6.3", "10.7")
async def test_parameters_outside_are_not_used(world: World) -> None:
    outside = {
        "state": "outside",
        "nonce": "outside",
        "redirect_uri": "https://elsewhere.example/cb",
        "response_type": "id_token",
        "response_mode": "form_post",
        "scope": "write",
        "prompt": "none",
    }

    request = await ask(world, request_object(world, state=None), **outside)

    assert (request.state, request.nonce, request.prompt) == ("", "", frozenset())
    assert (request.response_mode, request.scope) == (ResponseMode.QUERY, ("openid", "email"))


@pytest.mark.spec("RFC 9101", "10.5")
async def test_not_even_of_openid_requests_where_a_client_must_sign(world: World) -> None:
    await let_sign(world, require_signed_request_object=True)

    request = await ask(world, request_object(world), scope="openid write", nonce="outside", response_type="code")

    assert (request.nonce, request.scope) == ("", ("openid", "email"))


@pytest.mark.spec("RFC 9101", "10.5")
async def test_a_client_that_must_sign_is_refused_when_it_does_not(world: World) -> None:
    await let_sign(world, require_signed_request_object=True)

    answer = await world.authorization_response("web", scope="openid")

    assert answer.members["error"] == "invalid_request"
    assert "signed request object" in answer.members["error_description"]


# What is not taken


@pytest.mark.spec("RFC 9101", "6.2", "10.5")
@pytest.mark.parametrize("alg", ["none", "None", "NONE"])
async def test_an_unsigned_one_is_refused(world: World, alg: str) -> None:
    error, told = await error_of(world, unsigned(asked(world), alg=alg))

    assert error == "invalid_request_object"
    assert "signed" in told


@pytest.mark.spec("RFC 9101", "10.5")
async def test_no_profile_lets_a_client_send_unsigned_ones_that_must_sign(world: World) -> None:
    await let_sign(world, require_signed_request_object=True)

    error, _ = await error_of(lenient(world), unsigned(asked(world), alg="none"))

    assert error == "invalid_request_object"


@pytest.mark.spec("RFC 9101", "7")
@pytest.mark.parametrize("text", [unsigned({}, alg="none"), unsigned({}), "x"])
async def test_a_client_without_keys_is_told_that_it_can_have_none(world: World, text: str) -> None:
    error, told = await error_of(world, text, "partner")

    assert error == "request_not_supported"
    assert "register its keys" in told


@pytest.mark.spec("RFC 9101", "6.2")
@pytest.mark.spec("RFC 8725", "3.1", "3.2")
async def test_a_public_key_is_no_secret_to_authenticate_by(world: World) -> None:
    await with_secret(world, "rotating")
    await let_sign(world, "rotating")

    for secret in (jwks_of(key_of("RS256")), json.dumps(dict(key_of("RS256").public_jwk))):
        text = request_object(world, "rotating", key=secret)
        assert (await error_of(world, text, "rotating"))[0] == "invalid_request_object"


@pytest.mark.spec("RFC 9101", "6.2")
async def test_a_secret_of_which_only_a_hash_is_kept_authenticates_nothing(world: World) -> None:
    error, told = await error_of(world, request_object(world, key=SECRET))

    assert (error, "must be signed with ES256 or" in told) == ("invalid_request_object", True)


@pytest.mark.spec("RFC 9101", "6.2")
async def test_without_keys_a_secret_does_not_stand_for_one(world: World) -> None:
    await with_secret(world, "rotating")

    error, told = await error_of(world, request_object(world, "rotating"), "rotating")

    assert (error, "this client has no keys" in told) == ("invalid_request_object", True)


@pytest.mark.spec("RFC 9101", "6.2")
@pytest.mark.parametrize("alg", ALGORITHMS)
async def test_a_foreign_key_is_refused(world: World, alg: str) -> None:
    error, told = await error_of(world, request_object(world, key=generate_signing_key(alg), header={"kid": None}))

    assert (error, told) == ("invalid_request_object", "the request object is not signed with a key of this client")


@pytest.mark.spec("RFC 9101", "6.2")
async def test_a_key_that_is_named_must_be_the_clients(world: World) -> None:
    error, told = await error_of(world, request_object(world, header={"kid": "unheard of"}))

    assert (error, "no key of the kid" in told) == ("invalid_request_object", True)


@pytest.mark.spec("RFC 9101", "6.2")
async def test_a_signature_of_other_words_is_refused(world: World) -> None:
    head, _, signature = request_object(world).split(".")
    forged = f"{head}.{base64url(json.dumps(asked(world, scope='openid write')).encode())}.{signature}"

    assert (await error_of(world, forged))[0] == "invalid_request_object"


@pytest.mark.spec("OpenID Connect Dynamic Client Registration", "2")
async def test_an_algorithm_that_is_registered_is_the_only_one(world: World) -> None:
    await let_sign(world, request_object_signing_alg="PS256")

    taken = await ask(world, request_object(world, key=key_of("PS256")))
    error, told = await error_of(world, request_object(world, key=key_of("RS256")))

    assert taken.state == "inside"
    assert (error, told) == ("invalid_request_object", "the request object of this client must be signed with PS256")


@pytest.mark.spec("RFC 9864", "2.2")
@pytest.mark.parametrize("registered", ["EdDSA", "Ed25519"])
@pytest.mark.parametrize("used", ["EdDSA", "Ed25519"])
async def test_an_algorithm_with_two_names_is_one(world: World, registered: str, used: str) -> None:
    await let_sign(world, request_object_signing_alg=registered)

    taken = await ask(world, request_object(world, key=key_of("EdDSA"), header={"alg": used}))

    assert taken.state == "inside"


@pytest.mark.spec("RFC 7515", "4.1.11")
@pytest.mark.spec("RFC 8725", "3.11")
@pytest.mark.parametrize(
    "header",
    [{"crit": ["b64"], "b64": False}, {"typ": "at+jwt"}, {"typ": "client-authentication+jwt"}, {"typ": "dpop+jwt"}],
    ids=str,
)
async def test_what_was_signed_for_something_else_is_refused(world: World, header: dict[str, Any]) -> None:
    assert (await error_of(world, request_object(world, header=header)))[0] == "invalid_request_object"


@pytest.mark.spec("RFC 9101", "6.1")
async def test_an_encrypted_one_is_refused_and_said_to_be(world: World) -> None:
    error, told = await error_of(world, "e30.a.b.c.d")

    assert (error, "encrypted" in told) == ("invalid_request_object", True)


@pytest.mark.spec("RFC 9101", "6.2")
@pytest.mark.parametrize("text", ["x", "..", "e30.e30", "e30.W10.e30", "\u00e9.\u00e9.", "e30.e30.!", "e30.e30.e30"])
async def test_what_is_no_jwt_is_refused(world: World, text: str) -> None:
    assert (await error_of(world, text))[0] == "invalid_request_object"


async def test_a_huge_one_is_refused_unread(world: World) -> None:
    error, told = await error_of(world, request_object(world, state="x" * LONGEST))

    assert (error, f"longer than {LONGEST}" in told) == ("invalid_request_object", True)


async def test_one_that_is_nested_too_deep_is_refused(world: World) -> None:
    deep = '{"claims":' + "[" * 5000 + "]" * 5000 + "}"
    head = base64url(b'{"alg":"ES256"}')
    text = f"{head}.{base64url(deep.encode())}.e30"

    assert len(text) <= LONGEST
    assert (await error_of(world, text))[0] == "invalid_request_object"


@pytest.mark.spec("RFC 9101", "4", "10.7")
@pytest.mark.parametrize("name", ["request", "request_uri"])
async def test_one_may_not_hold_another(world: World, name: str) -> None:
    error, told = await error_of(world, sign({**asked(world), name: "https://web.example/r"}, key_of("ES256")))

    assert (error, told) == ("invalid_request_object", f"the request object holds {name}, which it must not")


@pytest.mark.spec("RFC 9101", "4")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("state", {"a": 1}),
        ("state", ["a"]),
        ("max_age", 1.5),
        ("resource", [["a"]]),
        ("state", "\ud800"),
        ("\ud800", "x"),
        ("state", "\x00"),
        ("claims", {"\ud800": None}),
    ],
)
async def test_what_no_parameter_can_be_is_refused(world: World, name: str, value: object) -> None:
    text = sign({**asked(world), name: value}, key_of("ES256"))

    assert (await error_of(world, text))[0] == "invalid_request_object"


# What is wrong with it is told to the client, once it is known to be the client's


@pytest.mark.spec("RFC 9101", "4", "6.3", "10.8")
@pytest.mark.spec("RFC 7519", "4.1.3", "4.1.4", "4.1.5")
@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": None},
        {"client_id": "spa"},
        {"iss": "spa"},
        {"iss": ["web"]},
        {"aud": "https://other.example"},
        {"aud": []},
        {"aud": f"{ISSUER}/"},
        {"sub": "web"},
        {"exp": NOW - LEEWAY},
        {"exp": "soon"},
        {"exp": True},
        {"exp": float("nan")},
        {"nbf": NOW + LEEWAY + 1},
        {"iat": NOW + LEEWAY + 1},
        {"iat": "now"},
    ],
    ids=str,
)
async def test_who_it_is_of_and_for_and_when_is_checked(world: World, changes: dict[str, Any]) -> None:
    told = await refused(world, request_object(world, **changes))

    assert told.error.error == "invalid_request_object"
    assert told.response is not None
    answer = answer_of(told.response)
    assert answer.headers["location"].startswith("https://web.example/cb?error=invalid_request_object&")
    assert (answer.members["state"], answer.members["iss"]) == ("inside", ISSUER)


@pytest.mark.spec("RFC 6749", "4.1.2.1")
@pytest.mark.parametrize("changes", [{"redirect_uri": "https://elsewhere.example/cb"}, {"redirect_uri": "x"}], ids=str)
async def test_nobody_is_sent_to_a_place_that_is_not_registered_though_it_is_signed(
    world: World, changes: dict[str, Any]
) -> None:
    told = await refused(world, request_object(world, **changes), redirect_uri="https://web.example/cb")

    assert (told.error.error, told.response) == ("invalid_request", None)


@pytest.mark.spec("RFC 6749", "4.1.2.1")
async def test_the_error_of_what_nobody_is_known_to_have_signed_goes_where_the_plain_request_says(world: World) -> None:
    outside = {"redirect_uri": "https://web.example/cb", "state": "outside", "response_mode": "fragment"}

    foreign = request_object(world, key=generate_signing_key("ES256"))
    told = await refused(world, foreign, **outside)
    elsewhere = await refused(world, foreign, redirect_uri="https://elsewhere.example/cb")
    await world.change_client("web", redirect_uris=("https://web.example/cb", "https://web.example/other"))
    nowhere = await refused(world, foreign)

    assert (elsewhere.response, nowhere.response) == (None, None)
    assert told.response is not None
    answer = answer_of(told.response)
    assert answer.headers["location"].startswith("https://web.example/cb#error=invalid_request_object&")
    assert answer.members["state"] == "outside"


async def test_an_error_of_the_parameters_inside_goes_back_as_they_say(world: World) -> None:
    told = await refused(world, request_object(world, scope="unheard_of", response_mode="nonsense"))

    assert told.response is not None
    assert answer_of(told.response).members["error"] == "invalid_request"


# Keys that are fetched


@pytest.mark.spec("OpenID Connect Core", "10.1.1")
async def test_keys_are_fetched_and_once_more_for_a_new_one(world: World) -> None:
    anew_asked: list[bool] = []

    async def jwks(_: str, *, anew: bool) -> str:
        anew_asked.append(anew)
        return jwks_of(key_of("ES256" if anew else "RS256"))

    fetching = _with_jwks(world, jwks)
    await let_sign(world, jwks="", jwks_uri="https://web.example/jwks")

    assert (await ask(fetching, request_object(world))).state == "inside"
    assert anew_asked == [False, True]


@pytest.mark.spec("RFC 9101", "6.2")
@pytest.mark.parametrize(
    ("trouble", "error"),
    [
        (InvalidClient("the jwks_uri of this client answers 404"), "invalid_request_object"),
        (TemporarilyUnavailable("try again", retry_after=10), "temporarily_unavailable"),
    ],
)
async def test_keys_that_cannot_be_fetched_are_told(
    world: World, trouble: InvalidClient | TemporarilyUnavailable, error: str
) -> None:
    async def jwks(*_: object, **__: object) -> str:
        raise trouble

    await let_sign(world, jwks="", jwks_uri="https://web.example/jwks")

    assert (await error_of(_with_jwks(world, jwks), request_object(world)))[0] == error


# Between the purposes of a key


@pytest.mark.spec("RFC 9101", "10.8")
@pytest.mark.parametrize("header", [{}, {"typ": "oauth-authz-req+jwt"}], ids=str)
async def test_a_request_object_authenticates_nobody(world: World, header: dict[str, str]) -> None:
    client = await with_keys(world, "web")
    text = request_object(world, header=header, jti="1")
    request = Request(method="POST", path="/oauth2/token")
    form = {"client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer", "client_assertion": text}

    with pytest.raises(InvalidClient):
        await check_assertion(read_assertion(request, Parameters(form), world.server), client, world.server)


def _with_jwks(world: World, jwks: Any) -> World:
    return replace(world, server=replace(world.server, jwks=jwks))
