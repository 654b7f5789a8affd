"""RFC 7523 §2.1: a JWT that a trusted issuer signed stands for a grant."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from asserting import NOTHING, jwks_of, sign, unsigned
from everbearer.oauth.client import AUTHORIZATION_CODE, JWT_BEARER, REFRESH_TOKEN, AccessTokenFormat, SubjectType
from everbearer.oauth.crypto.keys import SigningKey
from everbearer.oauth.endpoints.metadata import metadata
from everbearer.oauth.errors import InvalidClient, TemporarilyUnavailable
from everbearer.oauth.events import EventKind
from everbearer.oauth.grants.jwt_bearer import jwt_bearer_grant
from everbearer.oauth.models import Authentication, EndReason, Everything
from everbearer.oauth.randomness import random_id
from everbearer.oauth.trusted_issuers import Asserted, SubjectIs, TrustedIssuer
from meddled_store import calls_of, meddled, nothing, unavailable
from publishing import Publisher
from world import ADA, ANY_STORE, ISSUER, SECRET, Answer, World, claims_of, key_of

IDP = "https://idp.example"
BUILDS = "https://builds.example"
KEY = key_of("ES256")
OTHER = key_of("RS256")
PEOPLE_OF_IDP = TrustedIssuer(
    issuer=IDP, jwks=jwks_of(KEY), scope=("openid", "offline_access", "read", "write", "email")
)
PIPELINES = TrustedIssuer(
    issuer=BUILDS,
    jwks=jwks_of(KEY),
    subject_is=SubjectIs.EXTERNAL,
    subjects=("repo:acme/*", "repo:other/app"),
    scope=("openid", "offline_access", "read", "write"),
)


async def only_ada(asserted: Asserted) -> Authentication | None:
    known = asserted.subject == ADA
    return Authentication(subject=ADA, auth_time=1_799_999_000, amr=("pwd",), user_epoch=0) if known else None


@pytest.fixture
async def world(world: World) -> World:
    """Return the world with two trusted issuers, of people and of pipelines."""
    trusting(world, PEOPLE_OF_IDP, PIPELINES)
    for client in ("spa", "web", "machine"):
        await world.change_client(
            client, grant_types=(AUTHORIZATION_CODE, REFRESH_TOKEN, JWT_BEARER), scope=("openid", "read", "email")
        )
    return world


def trusting(world: World, *issuers: TrustedIssuer, **changes: Any) -> None:
    """Let the server trust these issuers, changed as said."""
    grant = jwt_bearer_grant([replace(issuer, **changes) for issuer in issuers], only_ada)
    world.server = replace(world.server, grants={**world.server.grants, JWT_BEARER: grant})


def assertion(
    world: World, *, key: SigningKey = KEY, header: Mapping[str, Any] = NOTHING, issuer: str = IDP, **changes: object
) -> str:
    subject = ADA if issuer == IDP else "repo:acme/app:main"
    now = world.clock.now
    usual = {"iss": issuer, "sub": subject, "aud": ISSUER, "exp": now + 300, "iat": now, "jti": random_id()}
    return sign({name: value for name, value in (usual | changes).items() if value is not None}, key, header)


async def bring(world: World, text: str | None, *, client: str = "web", **changes: str | None) -> Answer:
    form = {"grant_type": JWT_BEARER, "assertion": text, **await world.identity(client), **changes}
    return await world.token(form)


# People


@pytest.mark.spec("RFC 7523", "2.1")
@pytest.mark.parametrize("client", ["web", "spa", "machine"])
async def test_an_assertion_about_a_user_is_a_grant(world: World, client: str) -> None:
    answer = await bring(world, assertion(world), client=client, scope="openid read")

    assert answer.status == 200
    assert answer.json["scope"] == "openid read"
    assert (claims_of(answer.access_token)["sub"], claims_of(answer.json["id_token"])["sub"]) == (ADA, ADA)
    assert claims_of(answer.access_token)["auth_time"] == 1_799_999_000
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.spec("RFC 7521", "4.1")
async def test_no_refresh_token_comes_of_it(world: World) -> None:
    await world.change_client("web", scope=("openid", "offline_access", "read"))
    answer = await bring(world, assertion(world))

    assert "refresh_token" not in answer.json
    assert answer.json["scope"] == "openid read"


@pytest.mark.spec("RFC 7521", "4.1")
@pytest.mark.parametrize(("ahead", "expires_in"), [(300, 300), (3600, 1800), (-30, 1)])
async def test_the_access_token_lives_no_longer_than_the_assertion(world: World, ahead: int, expires_in: int) -> None:
    answer = await bring(world, assertion(world, exp=world.clock.now + ahead))

    assert answer.json["expires_in"] == expires_in
    assert await world.active(answer.access_token)


@pytest.mark.parametrize("kind", AccessTokenFormat)
@pytest.mark.parametrize(
    "end", [(Everything.USER, ADA), (Everything.CLIENT, "web"), (Everything.CONSENT, f"{ADA} web")]
)
async def test_its_tokens_end_with_the_user_and_the_client(
    world: World, end: tuple[Everything, str], kind: AccessTokenFormat
) -> None:
    await world.change_client("web", access_token_format=kind)
    token = (await bring(world, assertion(world))).access_token
    assert await world.active(token)
    await world.end_all(*end, EndReason.REVOKED_BY_ADMIN)

    assert not await world.active(token)


async def test_the_trail_tells_where_the_grant_came_from(world: World) -> None:
    await bring(world, assertion(world), scope="read")
    (event, *_) = await world.store.events(subject=ADA)

    assert (event.kind, event.actor, event.client_id) == (EventKind.GRANT_CREATED, "client:web", "web")
    assert event.details == {"scope": "read", "grant_type": JWT_BEARER}
    assert world.heard_of(EventKind.GRANT_CREATED) == [event]


async def test_userinfo_knows_the_user(world: World) -> None:
    token = (await bring(world, assertion(world))).access_token

    assert (await world.userinfo(token)).json["email"] == "ada@example.com"


@ANY_STORE
async def test_a_user_who_is_not_known_here_has_no_access(world: World) -> None:
    answer = await bring(world, assertion(world, sub="eve"))

    assert (answer.status, answer.error) == (400, "invalid_grant")


@ANY_STORE
async def test_a_server_that_is_told_of_no_users_knows_none(world: World) -> None:
    grants = {**world.server.grants, JWT_BEARER: jwt_bearer_grant([PEOPLE_OF_IDP])}
    world.server = replace(world.server, grants=grants)

    assert (await bring(world, assertion(world))).error == "invalid_grant"


@ANY_STORE
async def test_a_client_of_pairwise_subjects_needs_a_server_that_makes_them(world: World) -> None:
    await world.change_client("web", subject_type=SubjectType.PAIRWISE)
    with_salt = await bring(world, assertion(world))
    world.server = replace(world.server, pairwise_salt=lambda: b"")

    assert claims_of(with_salt.access_token)["sub"] != ADA
    assert (await bring(world, assertion(world))).error == "unauthorized_client"


# Others


@pytest.mark.spec("RFC 7523", "3")
@pytest.mark.parametrize("client", ["web", "spa"])
@pytest.mark.parametrize("kind", AccessTokenFormat)
async def test_an_external_subject_stands_behind_its_issuer(world: World, client: str, kind: AccessTokenFormat) -> None:
    await world.change_client(client, access_token_format=kind)
    answer = await bring(world, assertion(world, issuer=BUILDS), client=client)
    introspected = (await world.introspect(answer.access_token)).json

    assert answer.json.keys() == {"access_token", "token_type", "expires_in", "scope"}
    assert (introspected["sub"], introspected["scope"]) == (f"{BUILDS}#repo:acme/app:main", "read")
    assert (await world.userinfo(answer.access_token)).status == 401


@ANY_STORE
@pytest.mark.parametrize("prefix", ["", "ci:"])
async def test_the_prefix_is_the_operators(world: World, prefix: str) -> None:
    trusting(world, PIPELINES, prefix=prefix)
    answer = await bring(world, assertion(world, issuer=BUILDS))

    assert claims_of(answer.access_token)["sub"] == f"{prefix}repo:acme/app:main"


@pytest.mark.parametrize(
    ("subject", "status"),
    [
        ("repo:acme/app:main", 200),
        ("repo:acme/", 200),
        ("repo:other/app", 200),
        ("repo:other/app2", 400),
        ("repo:evil/repo:acme/", 400),
        ("x", 400),
    ],
)
@ANY_STORE
async def test_an_issuer_speaks_only_for_whom_it_may(world: World, subject: str, status: int) -> None:
    assert (await bring(world, assertion(world, issuer=BUILDS, sub=subject))).status == status


@pytest.mark.parametrize("end", ["all of the client's", "revoked", "time"])
async def test_a_token_of_an_external_subject_ends_with_its_client(world: World, end: str) -> None:
    token = (await bring(world, assertion(world, issuer=BUILDS))).access_token
    if end == "revoked":
        await world.revoke(token, client="web")
    elif end == "time":
        world.clock.advance(300)
    else:
        await world.end_all(Everything.CLIENT, "web", EndReason.REVOKED_BY_ADMIN)

    assert not await world.active(token)


# Scope


@pytest.mark.spec("RFC 7523", "2.1")
@pytest.mark.parametrize(
    ("scope", "answered"),
    [(None, "openid read email"), ("read", "read"), ("write", "invalid_scope"), ("x", "invalid_scope")],
)
async def test_a_scope_stays_within_what_issuer_and_client_may_have(
    world: World, scope: str | None, answered: str
) -> None:
    answer = await bring(world, assertion(world), scope=scope)

    assert answer.json.get("scope", answer.error) == answered


@ANY_STORE
async def test_an_issuer_without_scope_gives_none(world: World) -> None:
    trusting(world, PIPELINES, scope=())

    assert "scope" not in (await bring(world, assertion(world, issuer=BUILDS))).json


# Once


@pytest.mark.spec("RFC 7523", "3")
@pytest.mark.parametrize("issuer", [IDP, BUILDS])
async def test_an_assertion_is_good_once(world: World, issuer: str) -> None:
    text = assertion(world, issuer=issuer)
    first = await bring(world, text)
    answer = await bring(world, text)

    assert (answer.status, answer.error) == (400, "invalid_grant")
    assert await world.active(first.access_token)


async def test_a_replay_writes_nothing(world: World) -> None:
    text = assertion(world)
    await bring(world, text)
    watched = meddled(world, "", nothing)
    await bring(watched, text)

    assert {"create_grant", "remember", "end_grant"} & set(calls_of(watched)) == set()


@pytest.mark.parametrize("issuer", [IDP, BUILDS])
async def test_of_two_who_bring_it_at_once_one_is_answered(world: World, issuer: str) -> None:
    text = assertion(world, issuer=issuer)
    answers: list[Answer] = []

    async def other() -> None:
        answers.append(await bring(world, text))

    answers.append(await bring(meddled(world, "remember", other), text))

    assert sorted(answer.status for answer in answers) == [200, 400]
    live = await world.store.grants(live_only=True)
    assert len(live) == (1 if issuer == IDP else 0)


@pytest.mark.spec("RFC 7523", "3")
@ANY_STORE
async def test_an_assertion_without_a_jti_is_good_once(world: World) -> None:
    text = assertion(world, jti=None)
    answers = [await bring(world, text) for _ in range(2)]

    assert [answer.status for answer in answers] == [200, 400]


@pytest.mark.spec("RFC 7523", "3")
@ANY_STORE
async def test_without_a_jti_another_signature_of_the_same_claims_is_no_other_assertion(world: World) -> None:
    answers = [await bring(world, assertion(world, jti=None)) for _ in range(2)]

    assert [answer.status for answer in answers] == [200, 400]


async def test_two_issuers_may_use_one_jti(world: World) -> None:
    answers = [await bring(world, assertion(world, issuer=issuer, jti="one")) for issuer in (IDP, BUILDS)]

    assert [answer.status for answer in answers] == [200, 200]


@pytest.mark.parametrize("client", ["spa", "partner"])
async def test_what_is_refused_for_another_reason_is_not_used_up(world: World, client: str) -> None:
    text = assertion(world)
    await bring(world, text, scope="admin")
    await bring(world, text, client=client, scope="admin")

    assert (await bring(world, text)).status == 200


@pytest.mark.parametrize("verb", ["remembers", "create_grant", "remember"])
async def test_a_store_in_trouble_uses_nothing_up(world: World, verb: str) -> None:
    text = assertion(world)
    answer = await bring(meddled(world, verb, unavailable), text)

    assert answer.status == 503
    assert (await bring(world, text)).status == 200


# What is wrong


WRONG: dict[str, dict[str, Any]] = {
    "another issuer": {"iss": "https://evil.example"},
    "no issuer": {"iss": None},
    "an issuer that is no text": {"iss": 7},
    "no subject": {"sub": None},
    "an empty subject": {"sub": ""},
    "a subject that no store holds": {"sub": "a\x00b"},
    "no audience": {"aud": None},
    "another audience": {"aud": "https://other.example"},
    "another audience besides": {"aud": [ISSUER, "https://other.example"]},
    "no audience in a list": {"aud": []},
    "an audience that is no text": {"aud": [7]},
    "no expiry": {"exp": None},
    "an expiry in words": {"exp": "soon"},
    "an expiry that is true": {"exp": True},
    "expired": {"exp": 1_800_000_000 - 60},
    "too far ahead": {"exp": 1_800_000_000 + 3661},
    "no number": {"exp": float("nan")},
    "issued in the future": {"iat": 1_800_000_000 + 61},
    "not good yet": {"nbf": 1_800_000_000 + 61},
    "an empty jti": {"jti": ""},
    "a jti that is no text": {"jti": 7},
}


@pytest.mark.spec("RFC 7523", "3", "3.1")
@pytest.mark.parametrize("changes", WRONG.values(), ids=WRONG)
@ANY_STORE
async def test_an_assertion_that_is_not_as_it_must_be_is_an_invalid_grant(
    world: World, changes: dict[str, Any]
) -> None:
    answer = await bring(world, assertion(world, **changes))

    assert (answer.status, answer.error) == (400, "invalid_grant")


@pytest.mark.spec("RFC 7523", "3")
@pytest.mark.parametrize(
    "changes",
    [
        {"aud": [ISSUER]},
        {"aud": f"{ISSUER}/oauth2/token"},
        {"exp": 1_800_000_000 + 3660},
        {"exp": 1_800_000_000.5 + 60},
        {"nbf": 1_800_000_000 + 60},
        {"iat": None},
    ],
)
@ANY_STORE
async def test_an_assertion_within_the_rules_is_good(world: World, changes: dict[str, Any]) -> None:
    assert (await bring(world, assertion(world, **changes))).status == 200


@pytest.mark.spec("RFC 7515", "4.1.11")
@pytest.mark.spec("RFC 8725", "3.11")
@pytest.mark.parametrize(
    ("header", "status"),
    [
        ({"typ": "JWT"}, 200),
        ({"typ": "application/jwt"}, 200),
        ({"kid": None}, 200),
        ({"typ": "at+jwt"}, 400),
        ({"crit": ["b64"]}, 400),
        ({"kid": "another"}, 400),
    ],
)
@ANY_STORE
async def test_a_header_says_that_it_is_for_this(world: World, header: dict[str, Any], status: int) -> None:
    assert (await bring(world, assertion(world, header=header))).status == status


@pytest.mark.spec("RFC 8725", "3.1")
@ANY_STORE
async def test_an_algorithm_that_is_not_asymmetric_is_refused(world: World) -> None:
    claims = {"iss": IDP, "sub": ADA, "aud": ISSUER, "exp": world.clock.now + 60, "jti": "x"}

    assert (await bring(world, sign(claims, SECRET))).error == "invalid_grant"
    assert (await bring(world, unsigned(claims, alg="none"))).error == "invalid_grant"


@pytest.mark.spec("RFC 7523", "3")
@pytest.mark.parametrize("text", ["garbage", "a.b.c", "", None])
@ANY_STORE
async def test_what_is_no_jwt_is_refused(world: World, text: str | None) -> None:
    answer = await bring(world, text)

    assert (answer.status, answer.error) == (400, "invalid_grant" if text else "invalid_request")


@pytest.mark.spec("RFC 7523", "3")
@ANY_STORE
async def test_a_signature_of_another_key_is_refused(world: World) -> None:
    assert (await bring(world, assertion(world, key=OTHER))).error == "invalid_grant"
    text = assertion(world)
    assert (await bring(world, f"{text[:-4]}AAAA")).error == "invalid_grant"


@ANY_STORE
async def test_only_clients_that_an_issuer_names_may_bring_what_it_signs(world: World) -> None:
    trusting(world, PEOPLE_OF_IDP, clients=("web",))

    assert (await bring(world, assertion(world), client="spa")).error == "invalid_grant"
    assert (await bring(world, assertion(world), client="web")).status == 200


@ANY_STORE
async def test_how_far_ahead_it_may_expire_is_the_operators(world: World) -> None:
    trusting(world, PEOPLE_OF_IDP, longest=60)

    assert (await bring(world, assertion(world))).error == "invalid_grant"


@pytest.mark.spec("RFC 6749", "5.2")
@ANY_STORE
async def test_a_client_without_this_grant_is_refused(world: World) -> None:
    answer = await bring(world, assertion(world), client="partner")

    assert (answer.status, answer.error) == (400, "unauthorized_client")


@ANY_STORE
async def test_a_server_that_trusts_nobody_does_not_offer_it(world: World) -> None:
    offered = metadata(world.server)["grant_types_supported"]
    without = {name: grant for name, grant in world.server.grants.items() if name != JWT_BEARER}
    world.server = replace(world.server, grants=without)

    assert JWT_BEARER in offered  # type: ignore[operator]
    assert (await bring(world, assertion(world))).error == "unsupported_grant_type"


# Keys that are published


def publishing(world: World, published: str | Exception, *, seen: str = "") -> Publisher:
    """Let the issuer publish its keys; `seen` is what the server fetched lately."""
    trusting(world, PEOPLE_OF_IDP, jwks="", jwks_uri=f"{IDP}/jwks")
    publisher = Publisher(uri=f"{IDP}/jwks", published=published, seen=seen)
    world.server = replace(world.server, jwks=publisher)
    return publisher


@ANY_STORE
async def test_keys_are_fetched_where_the_issuer_publishes_them(world: World) -> None:
    published = publishing(world, jwks_of(KEY))

    assert (await bring(world, assertion(world))).status == 200
    assert published.asked == [False]


@ANY_STORE
async def test_they_are_fetched_anew_where_the_issuer_may_have_new_ones(world: World) -> None:
    published = publishing(world, jwks_of(KEY), seen=jwks_of(OTHER))

    assert (await bring(world, assertion(world))).status == 200
    assert published.asked == [False, True]


@pytest.mark.parametrize(
    ("problem", "status", "error"),
    [
        (InvalidClient("the jwks_uri answers 404"), 400, "invalid_grant"),
        (TemporarilyUnavailable("later", retry_after=5), 503, "temporarily_unavailable"),
    ],
)
@ANY_STORE
async def test_keys_that_cannot_be_had_are_no_500(world: World, problem: Exception, status: int, error: str) -> None:
    publishing(world, problem)
    answer = await bring(world, assertion(world))

    assert (answer.status, answer.error) == (status, error)


@ANY_STORE
async def test_a_document_that_is_no_jwk_set_verifies_nothing(world: World) -> None:
    publishing(world, "<html>")

    assert (await bring(world, assertion(world))).error == "invalid_grant"


async def test_many_at_once_are_all_answered(world: World) -> None:
    answers = await asyncio.gather(*(bring(world, assertion(world)) for _ in range(5)))

    assert [answer.status for answer in answers] == [200] * 5
