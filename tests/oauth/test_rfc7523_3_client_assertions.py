"""RFC 7523 §3 and OpenID Connect Core §9: clients that prove who they are by a JWT, at every endpoint that asks."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from asserting import claims_for, jwks_of, proof, sent, sign, unsigned, with_another_name, with_keys, with_secret
from everbearer.oauth.client import AccessTokenFormat, AuthMethod, Client
from everbearer.oauth.clients.assertions import CLIENT_AUTHENTICATION_TYPE, JWT_BEARER, LEEWAY, LONGEST
from everbearer.oauth.crypto.keys import ALGORITHMS, generate_signing_key
from everbearer.oauth.crypto.sealing import Sealer
from everbearer.oauth.endpoints.token import token_endpoint
from everbearer.oauth.events import EventKind
from everbearer.oauth.messages import Request
from everbearer.oauth.parameters import FORM
from every_store import ON_EVERY_STORE
from meddled_store import meddled, unavailable
from world import ANY_STORE, ISSUER, SECRET, SERVER_SECRET, Answer, World, answer_of, basic, key_of

TOKEN_ENDPOINT = f"{ISSUER}/oauth2/token"
REFUSED = (401, "invalid_client")


async def _ask(world: World, form: dict[str, str | None]) -> Answer:
    """Ask for a client's own token, which needs nothing but the proof."""
    return await world.token({"grant_type": "client_credentials", **form})


async def _asked(world: World, form: dict[str, str | None]) -> tuple[int, str]:
    answer = await _ask(world, form)
    return answer.status, answer.error


@pytest.fixture
async def machine(world: World) -> Client:
    """Return a machine that has keys."""
    return await with_keys(world, "machine")


@pytest.fixture
async def keeper(world: World) -> Client:
    """Return a machine that authenticates its assertions by its secret."""
    return await with_secret(world, "machine")


# What is taken


@ON_EVERY_STORE
@pytest.mark.usefixtures("machine")
@pytest.mark.spec("RFC 7523", "2.2", "3")
@pytest.mark.spec("OpenID Connect Core", "9")
@pytest.mark.parametrize("alg", ALGORITHMS)
async def test_a_client_that_has_registered_a_public_key_signs_a_jwt_using_that_key(world: World, alg: str) -> None:
    answer = await _ask(world, proof(world, "machine", key=key_of(alg)))

    assert (answer.status, answer.json["token_type"]) == (200, "Bearer")


@ON_EVERY_STORE
@pytest.mark.usefixtures("keeper")
@pytest.mark.spec("OpenID Connect Core", "9")
async def test_a_client_that_has_a_secret_creates_a_jwt_using_an_hmac_of_it(world: World) -> None:
    assert (await _ask(world, proof(world, "machine", key=SECRET))).status == 200


@ON_EVERY_STORE
@pytest.mark.spec("RFC 7521", "4.2")
async def test_assertions_are_taken_at_introspection_and_revocation_too(world: World) -> None:
    await with_keys(world, "web")
    signed_in = await world.redeem(await world.authorize("web"), client="web", **proof(world))

    known = await world.introspect(signed_in.access_token, **proof(world))
    revoked = await world.revoke(signed_in.refresh_token, **proof(world))

    assert known.json["client_id"] == "web"
    assert revoked.status == 200
    assert not (await world.introspect(signed_in.access_token, **proof(world))).json["active"]


@ANY_STORE
@pytest.mark.usefixtures("machine")
@pytest.mark.spec("RFC 7521", "4.2")
async def test_the_client_id_may_stand_beside_the_assertion(world: World) -> None:
    assert (await _ask(world, proof(world, "machine") | {"client_id": "machine"})).status == 200


@ANY_STORE
@pytest.mark.usefixtures("machine")
@pytest.mark.spec("RFC 7523", "3")
@pytest.mark.spec("OpenID Connect Core", "9")
@pytest.mark.parametrize("aud", [ISSUER, TOKEN_ENDPOINT, [ISSUER], [ISSUER, TOKEN_ENDPOINT]], ids=str)
async def test_the_audience_is_the_issuer_or_the_token_endpoint(world: World, aud: object) -> None:
    assert (await _ask(world, proof(world, "machine", aud=aud))).status == 200


@ANY_STORE
@pytest.mark.usefixtures("machine")
@pytest.mark.spec("RFC 7523", "3")
@pytest.mark.parametrize("path", ["/access_token", "/o/token"])
async def test_the_audience_may_be_the_endpoint_that_is_called(world: World, path: str) -> None:
    form = "&".join(f"{name}={value}" for name, value in proof(world, "machine", aud=ISSUER + path).items() if value)
    body = f"grant_type=client_credentials&{form}".encode()
    request = Request(method="POST", path=path, headers={"content-type": FORM}, body=body)

    assert answer_of(await token_endpoint(request, world.server)).status == 200


@ANY_STORE
@pytest.mark.usefixtures("machine")
@pytest.mark.spec("RFC 7523", "3")
@pytest.mark.spec("RFC 7519", "4.1.4", "4.1.5")
async def test_clocks_may_differ_a_little(world: World) -> None:
    now = world.clock.now
    behind: dict[str, Any] = {"exp": now - LEEWAY + 1, "iat": now - LEEWAY - 59}
    ahead: dict[str, Any] = {"exp": now + LEEWAY + LONGEST, "iat": now + LEEWAY, "nbf": now + LEEWAY + 0.0}

    assert [(await _ask(world, proof(world, "machine", **times))).status for times in (behind, ahead)] == [200, 200]


@ANY_STORE
@pytest.mark.usefixtures("machine")
@pytest.mark.spec("RFC 7515", "4.1.9")
@pytest.mark.spec("RFC 7519", "5.1")
@pytest.mark.spec("RFC 10070", "4")
@pytest.mark.parametrize("typ", ["JWT", "jwt", CLIENT_AUTHENTICATION_TYPE, f"application/{CLIENT_AUTHENTICATION_TYPE}"])
async def test_the_type_may_say_that_it_authenticates_a_client(world: World, typ: str) -> None:
    assert (await _ask(world, proof(world, "machine", header={"typ": typ}))).status == 200


# What is not


@ANY_STORE
@pytest.mark.usefixtures("machine")
@pytest.mark.spec("RFC 7523", "2.2")
@pytest.mark.parametrize("kind", [None, "", "x", JWT_BEARER.upper(), "urn:ietf:params:oauth:grant-type:jwt-bearer"])
async def test_the_assertion_type_must_be_the_one_urn(world: World, kind: str | None) -> None:
    answer = await _ask(world, proof(world, "machine") | {"client_assertion_type": kind})

    assert (answer.status, answer.error) == REFUSED
    assert JWT_BEARER in answer.json["error_description"]


@ANY_STORE
@pytest.mark.usefixtures("machine")
@pytest.mark.spec("RFC 7523", "3")
@pytest.mark.parametrize(
    "text",
    [
        "x",
        "..",
        "e30.e30",
        "e30.e30.",
        "e30.W10.e30",
        "W10.e30.e30",
        "e30.e30.!",
        "\u00e9.\u00e9.\u00e9",
        "a.b.c.d.e",
        None,
    ],
)
async def test_what_is_no_signed_jwt_is_refused(world: World, text: str | None) -> None:
    assert await _asked(world, proof(world, "machine") | {"client_assertion": text}) == REFUSED


@ANY_STORE
@pytest.mark.usefixtures("machine")
@pytest.mark.spec("RFC 7523", "3")
@pytest.mark.spec("OpenID Connect Core", "9")
@pytest.mark.parametrize(
    "claims",
    [
        {"iss": None},
        {"sub": None},
        {"iss": "web"},
        {"sub": "web"},
        {"iss": ISSUER},
        {"iss": "", "sub": ""},
        {"iss": 5, "sub": 5},
        {"iss": ["machine"], "sub": ["machine"]},
        {"iss": "\ud800", "sub": "\ud800"},
        {"iss": "machine\x00", "sub": "machine\x00"},
    ],
    ids=repr,
)
async def test_issuer_and_subject_must_be_the_client_id(world: World, claims: dict[str, Any]) -> None:
    assert await _asked(world, proof(world, "machine", **claims)) == REFUSED


@ANY_STORE
@pytest.mark.usefixtures("machine")
@pytest.mark.spec("RFC 7521", "4.2")
async def test_a_client_id_in_the_body_must_identify_the_same_client(world: World) -> None:
    form = proof(world, "machine")

    assert await _asked(world, form | {"client_id": "api"}) == (400, "invalid_request")
    assert (await _ask(world, form)).status == 200


@ANY_STORE
@pytest.mark.usefixtures("machine")
@pytest.mark.spec("RFC 7523", "3")
@pytest.mark.parametrize(
    "aud",
    [
        None,
        "",
        [],
        5,
        {},
        [[]],
        [ISSUER, 5],
        "https://another.example",
        [ISSUER, "https://another.example"],
        ISSUER + "/x",
        ISSUER + "/oauth2/userinfo",
        TOKEN_ENDPOINT + "/",
        TOKEN_ENDPOINT.upper(),
    ],
    ids=str,
)
async def test_a_jwt_that_does_not_name_this_server_alone_is_refused(world: World, aud: object) -> None:
    assert await _asked(world, proof(world, "machine", aud=aud)) == REFUSED


@ANY_STORE
@pytest.mark.usefixtures("machine")
@pytest.mark.spec("RFC 10070", "4")
@pytest.mark.parametrize("aud", [TOKEN_ENDPOINT, [ISSUER, TOKEN_ENDPOINT], [], None], ids=str)
async def test_an_explicitly_typed_jwt_must_have_the_issuer_as_its_sole_audience(world: World, aud: object) -> None:
    form = proof(world, "machine", aud=aud, header={"typ": CLIENT_AUTHENTICATION_TYPE})

    assert await _asked(world, form) == REFUSED


@ANY_STORE
@pytest.mark.usefixtures("machine")
@pytest.mark.spec("RFC 7523", "3")
@pytest.mark.parametrize("beyond", [None, "3600", True, [], -LEEWAY, LONGEST + LEEWAY + 1, 1e300], ids=str)
async def test_a_jwt_must_have_an_expiration_time_that_is_neither_past_nor_far_away(world: World, beyond: Any) -> None:
    usual = isinstance(beyond, int | float) and not isinstance(beyond, bool)

    form = proof(world, "machine", exp=world.clock.now + beyond if usual else beyond)

    assert await _asked(world, form) == REFUSED


@ANY_STORE
@pytest.mark.usefixtures("machine")
@pytest.mark.spec("RFC 7523", "3")
@pytest.mark.parametrize("time", [float("nan"), float("inf"), -float("inf")], ids=str)
async def test_a_time_that_is_no_time_is_refused(world: World, time: float) -> None:
    assert await _asked(world, proof(world, "machine", exp=time)) == REFUSED
    assert (await _asked(world, proof(world, "machine", nbf=time)) == REFUSED) is (time != -float("inf"))


@ANY_STORE
@pytest.mark.usefixtures("machine")
@pytest.mark.spec("RFC 7523", "3")
@pytest.mark.spec("RFC 7519", "4.1.5")
@pytest.mark.parametrize("name", ["nbf", "iat"])
async def test_a_jwt_must_not_be_used_before_its_time(world: World, name: str) -> None:
    ahead = world.clock.now + LEEWAY + 1

    for begins_at in (ahead, "soon"):
        claims: dict[str, Any] = {name: begins_at}
        assert await _asked(world, proof(world, "machine", **claims)) == REFUSED


@ANY_STORE
@pytest.mark.usefixtures("machine")
@pytest.mark.spec("OpenID Connect Core", "9")
@pytest.mark.parametrize("jti", [None, "", 5, [], "\ud800", "\x00"], ids=repr)
async def test_a_unique_identifier_is_required(world: World, jti: object) -> None:
    assert await _asked(world, proof(world, "machine", jti=jti)) == REFUSED


@ANY_STORE
@pytest.mark.usefixtures("machine")
@pytest.mark.spec("RFC 8725", "3.1", "3.2")
@pytest.mark.spec("RFC 7523", "3")
async def test_a_jwt_that_nobody_signed_is_refused(world: World) -> None:
    claims = claims_for(world, "machine")
    head, _, _ = sign(claims, key_of("ES256")).rpartition(".")
    by_public_key = sign(claims, jwks_of(key_of("ES256")))

    for text in (
        unsigned(claims, alg="none"),
        unsigned(claims),
        unsigned(claims, alg=["ES256"]),
        f"{head}.",
        by_public_key,
    ):
        assert await _asked(world, sent(text)) == REFUSED
    assert (await _ask(world, sent(sign(claims, key_of("ES256"))))).status == 200


@ANY_STORE
@pytest.mark.usefixtures("machine")
@pytest.mark.spec("RFC 7523", "3")
@pytest.mark.parametrize("alg", ALGORITHMS)
async def test_a_jwt_that_another_key_signed_is_refused(world: World, alg: str) -> None:
    another = generate_signing_key(alg)

    for header in ({}, {"kid": key_of(alg).kid}, {"kid": None}, {"kid": ["x"]}):
        assert await _asked(world, proof(world, "machine", key=another, header=header)) == REFUSED


@ANY_STORE
@pytest.mark.usefixtures("keeper")
@pytest.mark.spec("OpenID Connect Core", "9")
async def test_a_jwt_of_another_secret_is_refused(world: World) -> None:
    assert await _asked(world, proof(world, "machine", key="another-secret-0123456789-abcdef")) == REFUSED


@ANY_STORE
@pytest.mark.spec("RFC 7515", "4.1.1")
@pytest.mark.spec("RFC 8725", "3.1")
async def test_the_algorithm_is_the_one_that_the_key_names(world: World) -> None:
    rsa = key_of("RS256")
    await with_keys(world, "machine", jwks=jwks_of(rsa, alg="PS256"))
    as_named = proof(world, "machine", key=rsa, header={"alg": "PS256"})

    assert await _asked(world, proof(world, "machine", key=rsa)) == REFUSED
    assert (await _ask(world, as_named)).status == 200


@ANY_STORE
@pytest.mark.spec("RFC 9864", "2.2")
@pytest.mark.parametrize("published", ["EdDSA", "Ed25519"])
@pytest.mark.parametrize("registered", ["EdDSA", "Ed25519"])
@pytest.mark.parametrize("used", ["EdDSA", "Ed25519"])
async def test_an_algorithm_with_two_names_is_one(world: World, published: str, registered: str, used: str) -> None:
    jwks = jwks_of(key_of("EdDSA"), alg=published)
    await with_keys(world, "machine", jwks=jwks, token_endpoint_auth_signing_alg=registered)

    assert (await _ask(world, proof(world, "machine", key=key_of("EdDSA"), header={"alg": used}))).status == 200


@ANY_STORE
@pytest.mark.spec("OpenID Connect Dynamic Client Registration", "2")
async def test_all_assertions_of_a_client_must_be_signed_with_the_algorithm_it_registered(world: World) -> None:
    await with_keys(world, "machine", token_endpoint_auth_signing_alg="PS256")

    refused = await _ask(world, proof(world, "machine"))

    assert (refused.status, refused.error) == REFUSED
    assert "PS256" in refused.json["error_description"]
    assert (await _ask(world, proof(world, "machine", key=key_of("PS256")))).status == 200


@ANY_STORE
@pytest.mark.usefixtures("machine")
@pytest.mark.spec("RFC 7515", "4.1.11")
async def test_an_extension_that_is_not_understood_makes_it_invalid(world: World) -> None:
    form = proof(world, "machine", header={"crit": ["b64"], "b64": True})

    assert await _asked(world, form) == REFUSED


@ANY_STORE
@pytest.mark.usefixtures("machine")
@pytest.mark.spec("RFC 8725", "3.11")
@pytest.mark.parametrize("typ", ["at+jwt", "dpop+jwt", "application/at+jwt", "", "logout+jwt"])
async def test_a_jwt_of_another_kind_does_not_pass_for_an_assertion(world: World, typ: str) -> None:
    refused = await _asked(world, proof(world, "machine", header={"typ": typ})) == REFUSED

    assert refused is (typ != "")


@ANY_STORE
@pytest.mark.usefixtures("machine")
@pytest.mark.spec("RFC 6749", "2.3", "5.2")
async def test_a_client_must_not_use_more_than_one_method(world: World) -> None:
    form = proof(world, "machine")
    by_basic = await world.token({"grant_type": "client_credentials", **form}, headers=basic("machine", SECRET))

    assert (by_basic.status, by_basic.error) == (400, "invalid_request")
    assert await _asked(world, form | {"client_secret": SECRET}) == (400, "invalid_request")
    assert (await _ask(world, form)).status == 200


# Once


@ON_EVERY_STORE
@pytest.mark.usefixtures("machine")
@pytest.mark.spec("OpenID Connect Core", "9")
@pytest.mark.spec("RFC 7521", "5.2")
async def test_a_jwt_must_only_be_used_once(world: World) -> None:
    form = proof(world, "machine", exp=world.clock.now + LONGEST)

    answers = [await _ask(world, form)]
    for seconds in (1, LONGEST - 2, LEEWAY):
        world.clock.advance(seconds)
        await world.store.purge(now=world.clock.now, keep=0, batch=100)
        answers.append(await _ask(world, form))

    assert [answer.status for answer in answers] == [200, 401, 401, 401]
    assert "used before" in answers[1].json["error_description"]


@ON_EVERY_STORE
@pytest.mark.usefixtures("machine")
@pytest.mark.spec("OpenID Connect Core", "9")
async def test_of_many_that_use_a_jwt_at_once_one_is_let_in(world: World) -> None:
    form = proof(world, "machine")

    answers = await asyncio.gather(*(_ask(world, form) for _ in range(8)))

    assert sorted(answer.status for answer in answers) == [200, *[401] * 7]


@ON_EVERY_STORE
@pytest.mark.usefixtures("machine")
@pytest.mark.spec("OpenID Connect Core", "9")
async def test_what_is_refused_uses_nothing_up(world: World) -> None:
    form = proof(world, "machine", jti="the one")
    forged = proof(world, "machine", jti="the one", key=generate_signing_key("ES256"))
    elsewhere = proof(world, "machine", jti="the one", aud="https://another.example")

    refused = [await _asked(world, each) for each in (forged, elsewhere)]

    assert refused == [REFUSED, REFUSED]
    assert (await _ask(world, form)).status == 200


@ON_EVERY_STORE
@pytest.mark.usefixtures("machine")
@pytest.mark.spec("RFC 7519", "4.1.7")
async def test_one_client_cannot_use_up_what_another_makes(world: World) -> None:
    await with_another_name(world, "machine", "another")

    answers = [await _ask(world, proof(world, client, jti="the one")) for client in ("machine", "another")]

    assert [answer.status for answer in answers] == [200, 200]


@ON_EVERY_STORE
@pytest.mark.usefixtures("machine")
@pytest.mark.spec("RFC 6749", "5.2")
async def test_a_store_in_trouble_uses_nothing_up(world: World) -> None:
    form = proof(world, "machine")

    answer = await _ask(meddled(world, "remember", unavailable), form)

    assert (answer.status, answer.error) == (503, "temporarily_unavailable")
    assert (await _ask(world, form)).status == 200


# Whose it is


@ANY_STORE
@pytest.mark.spec("RFC 6749", "2.3")
@pytest.mark.parametrize(
    ("client", "changes", "advice"),
    [
        ("machine", {}, "its secret"),
        ("machine", {"token_endpoint_auth_method": AuthMethod.BASIC}, "client_secret_basic"),
        ("spa", {}, "it is public"),
    ],
)
async def test_a_client_of_another_method_is_told_its_own(
    world: World, client: str, changes: dict[str, Any], advice: str
) -> None:
    await world.change_client(client, jwks=jwks_of(key_of("ES256")), **changes)

    answer = await _ask(world, proof(world, client))

    assert (answer.status, answer.error) == REFUSED
    assert advice in answer.json["error_description"]


@ANY_STORE
@pytest.mark.spec("RFC 6749", "2.3")
@pytest.mark.parametrize("registered", [with_keys, with_secret])
@pytest.mark.parametrize("secret", [SECRET, None])
async def test_a_client_of_this_method_is_let_in_by_no_other(world: World, registered: Any, secret: str | None) -> None:
    method = (await registered(world, "machine")).token_endpoint_auth_method

    answer = await world.client_credentials(client_secret=secret)

    assert (answer.status, answer.error) == REFUSED
    assert str(method) in answer.json["error_description"]
    by_basic = await world.token("grant_type=client_credentials", headers=basic("machine", secret or ""))
    assert (by_basic.status, by_basic.error) == REFUSED


@ANY_STORE
@pytest.mark.usefixtures("machine")
@pytest.mark.spec("RFC 6749", "5.2")
async def test_a_disabled_client_with_keys_is_refused_like_an_unknown_one(world: World) -> None:
    await world.change_client("machine", disabled_at=world.clock.now)

    disabled, unknown = await _ask(world, proof(world, "machine")), await _ask(world, proof(world, "nobody"))

    assert (disabled.status, disabled.error) == REFUSED
    assert disabled.body == unknown.body


@ANY_STORE
@pytest.mark.usefixtures("machine")
@pytest.mark.spec("RFC 6749", "10.3")
async def test_who_listens_is_told_of_assertions_that_fail(world: World) -> None:
    form = proof(world, "machine", aud="https://another.example")

    await _ask(world, form)
    await _ask(world, proof(world, "nobody"))

    assert [(event.kind, event.client_id) for event in world.heard] == [
        (EventKind.CLIENT_AUTHENTICATION_FAILED, "machine"),
        (EventKind.CLIENT_AUTHENTICATION_FAILED, ""),
    ]
    assert str(form["client_assertion"]) not in repr(world.heard)


@ANY_STORE
@pytest.mark.spec("RFC 7009", "2.1")
async def test_who_says_who_it_is_at_revocation_must_prove_it(world: World) -> None:
    await with_keys(world, "web")
    token = (await world.redeem(await world.authorize("web"), client="web", **proof(world))).refresh_token

    answer = await world.revoke(token, **proof(world, key=generate_signing_key("ES256")))

    assert (answer.status, answer.error) == REFUSED
    assert await world.end_reason(token) is None


# Confidential without a secret


@ANY_STORE
@pytest.mark.spec("RFC 6749", "2.1")
async def test_a_client_with_keys_is_confidential(world: World) -> None:
    client = await with_keys(world, "web")
    first = (await world.redeem(await world.authorize("web"), client="web", **proof(world))).refresh_token

    again = await world.refresh(first, client="web", **proof(world))

    assert not client.public
    assert again.refresh_token == first


@ANY_STORE
@pytest.mark.spec("RFC 9068", "2.1")
async def test_a_client_with_keys_gets_a_jwt_for_itself_whatever_format_it_has(world: World) -> None:
    await with_keys(world, "machine", access_token_format=AccessTokenFormat.OPAQUE)

    answer = await _ask(world, proof(world, "machine"))

    assert answer.access_token.count(".") == 2
    assert await world.active(answer.access_token)


# Secrets


@ON_EVERY_STORE
@pytest.mark.spec("OpenID Connect Core", "10.1")
async def test_the_secret_before_works_until_it_is_taken_out(world: World) -> None:
    newer = "a-newer-secret-0123456789-\u00e9\u00e8\u00ea"
    await with_secret(world, "machine", newer, SECRET)
    both = [await _ask(world, proof(world, "machine", key=secret)) for secret in (newer, SECRET)]
    await with_secret(world, "machine", newer)

    alone = [await _ask(world, proof(world, "machine", key=secret)) for secret in (newer, SECRET)]

    assert [answer.status for answer in (*both, *alone)] == [200, 200, 200, 401]


@ANY_STORE
@pytest.mark.usefixtures("keeper")
@pytest.mark.spec("OpenID Connect Core", "9")
async def test_a_sealed_secret_outlives_a_change_of_the_servers(world: World) -> None:
    newer = b"a secret that is newer than the other"
    changed, without = world.sealed_by(Sealer([newer, SERVER_SECRET])), world.sealed_by(Sealer([newer]))

    assert (await _ask(changed, proof(world, "machine", key=SECRET))).status == 200
    assert await _asked(without, proof(world, "machine", key=SECRET)) == REFUSED


@ANY_STORE
@pytest.mark.spec("RFC 6819", "5.1.4.1.3")
async def test_a_sealed_secret_is_that_of_its_client_alone(world: World) -> None:
    kept = (await with_secret(world, "machine")).sealed_secrets
    other = (await with_secret(world, "api")).sealed_secrets
    await world.change_client("api", sealed_secrets=("nonsense", *kept))

    assert kept != other
    assert SECRET not in "".join(kept)
    assert await _asked(world, proof(world, "api", key=SECRET)) == REFUSED
