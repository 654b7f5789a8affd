"""Access tokens that the issuer is asked about (RFC 7662), and for how long its answers are believed."""

from __future__ import annotations

import json
from base64 import b64decode
from typing import Any
from urllib.parse import parse_qs, unquote_plus

import pytest

from asserting import with_keys
from everbearer.oauth.models import EndReason, Everything
from everbearer.resource_server import (
    Fetched,
    Introspection,
    ResourceServer,
    TemporarilyUnavailable,
    private_key_jwt,
)
from resource_server.issuer_world import (
    API,
    CREDENTIALS,
    INTROSPECT,
    OAUTH_METADATA,
    OPENID_METADATA,
    Issuer,
    refusal_of,
)
from world import ACR, ADA, ISSUER, NOW, key_of


def asking(issuer: Issuer, **changes: Any) -> ResourceServer:
    """Return a resource server that asks about tokens."""
    return issuer.api(introspection=Introspection(**{**CREDENTIALS, **changes}))


def answering(issuer: Issuer, **members: object) -> None:
    """Let the issuer say of every token that it is active, and more."""
    answer = {"active": True, "aud": API, "sub": ADA, "token_type": "Bearer", **members}
    issuer.instead[INTROSPECT] = Fetched(status=200, body=json.dumps(answer).encode())


def trouble_of(api: ResourceServer, text: str) -> TemporarilyUnavailable:
    with pytest.raises(TemporarilyUnavailable) as refused:
        api.validate(text)
    return refused.value


@pytest.mark.spec("RFC 7662", "2.2")
async def test_an_opaque_token_says_what_a_jwt_says(issuer: Issuer) -> None:
    token = asking(issuer).validate(await issuer.user_token("opaque", scope="openid read"))

    assert (token.issuer, token.subject, token.client_id) == (ISSUER, ADA, "opaque")
    assert (token.scope, token.audience, token.expires_at) == (("openid", "read"), (API,), NOW + 1800)


@pytest.mark.spec("RFC 9470", "6.2")
async def test_it_says_how_and_when_the_user_signed_in(issuer: Issuer) -> None:
    authentication = issuer.world.authentication(acr=ACR)
    token = asking(issuer).validate(await issuer.user_token("opaque", authentication=authentication))

    assert (token.auth_time, token.acr, token.claims["amr"]) == (NOW, ACR, ["pwd"])


async def test_without_credentials_an_opaque_token_is_refused(issuer: Issuer) -> None:
    assert refusal_of(issuer.api(), await issuer.user_token("opaque")) == "the access token is not a JWT"
    assert issuer.asked == []


async def test_nobody_is_asked_about_a_jwt(issuer: Issuer) -> None:
    asking(issuer).validate(await issuer.token())

    assert issuer.asked_for(INTROSPECT) == 0


async def test_with_always_the_issuer_is_asked_about_jwts_too(issuer: Issuer) -> None:
    token = asking(issuer, always=True).validate(await issuer.user_token())

    assert (token.subject, [wanted.url for wanted in issuer.asked]) == (ADA, [OAUTH_METADATA, INTROSPECT])


async def test_with_always_the_end_of_a_jwt_is_seen(issuer: Issuer) -> None:
    text = await issuer.user_token()
    await issuer.world.end_all(Everything.USER, ADA, EndReason.REVOKED_BY_ADMIN)

    assert "is not active" in refusal_of(asking(issuer, always=True), text)


@pytest.mark.spec("RFC 7662", "2.1")
async def test_the_issuer_is_asked_by_a_post_with_the_token_and_what_it_is(issuer: Issuer) -> None:
    text = await issuer.user_token("opaque")
    asking(issuer).validate(text)
    wanted = issuer.asked[-1]

    assert (wanted.method, wanted.url) == ("POST", INTROSPECT)
    assert parse_qs((wanted.body or b"").decode()) == {"token": [text], "token_type_hint": ["access_token"]}


@pytest.mark.spec("RFC 6749", "2.3.1")
async def test_credentials_are_encoded_as_a_form_is(issuer: Issuer) -> None:
    answering(issuer)
    asking(issuer, client_id="a:b c", client_secret="ü%+&").validate("opaque")
    scheme, _, pair = dict(issuer.asked[-1].headers)["Authorization"].partition(" ")

    assert scheme == "Basic"
    assert [unquote_plus(part) for part in b64decode(pair).decode().split(":")] == ["a:b c", "ü%+&"]


@pytest.mark.spec("RFC 7523", "2.2")
async def test_a_resource_server_may_have_a_key_instead_of_a_secret(issuer: Issuer) -> None:
    await with_keys(issuer.world, "api")
    assertion = private_key_jwt("api", key_of("ES256"), now=issuer.world.clock)
    api = asking(issuer, client_secret="", client_assertion=assertion)

    assert api.validate(await issuer.user_token("opaque")).subject == ADA
    assert api.validate(await issuer.user_token("opaque")).subject == ADA


async def test_the_endpoint_may_be_named(issuer: Issuer) -> None:
    text = await issuer.user_token("opaque")
    asking(issuer, endpoint=INTROSPECT).validate(text)

    assert [wanted.url for wanted in issuer.asked] == [INTROSPECT]


async def test_an_endpoint_that_the_metadata_does_not_name_is_told_to_the_operator(issuer: Issuer) -> None:
    issuer.instead[OAUTH_METADATA] = Fetched(status=200, body=json.dumps({"issuer": ISSUER}).encode())
    trouble = trouble_of(asking(issuer), "opaque")

    assert trouble.reason == f"the metadata of {ISSUER} has no introspection_endpoint that is an https URL"
    assert issuer.told == [trouble.reason]


@pytest.mark.spec("RFC 7662", "2.2")
async def test_an_inactive_token_is_refused(issuer: Issuer) -> None:
    assert refusal_of(asking(issuer), "era_nothing") == (
        "the access token is not active: it has expired, has been revoked, or is none"
    )


async def test_a_refresh_token_is_no_access_token(issuer: Issuer) -> None:
    refresh_token = (await issuer.world.sign_in("opaque")).refresh_token

    assert "its audience is another" in refusal_of(asking(issuer), refresh_token)


@pytest.mark.parametrize(
    ("members", "problem"),
    [
        ({"aud": "https://other.example"}, "its audience is another"),
        ({"aud": None}, "its audience is another"),
        ({"iss": "https://evil.example"}, "not of the issuer"),
        ({"token_type": "DPoP"}, "is not a bearer token"),
        ({"token_type": ["Bearer"]}, "is not a bearer token"),
        ({"cnf": {"jkt": "x"}}, "is bound to a key"),
        ({"exp": NOW - 30}, "has expired"),
        ({"nbf": NOW + 31}, "its nbf is in the future"),
        ({"sub": 1}, "not a text: sub"),
    ],
)
async def test_an_active_token_that_is_not_for_us_is_refused(
    issuer: Issuer, members: dict[str, object], problem: str
) -> None:
    answering(issuer, **members)

    assert problem in refusal_of(asking(issuer), "opaque")


@pytest.mark.parametrize("members", [{"token_type": None}, {"token_type": "bearer"}, {"iss": ISSUER}, {"scope": None}])
async def test_what_an_issuer_need_not_say_is_not_missed(issuer: Issuer, members: dict[str, object]) -> None:
    answering(issuer, **members)
    token = asking(issuer).validate("opaque")

    assert (token.issuer, token.subject, token.client_id, token.expires_at) == (ISSUER, ADA, "", None)


@pytest.mark.spec("RFC 7662", "4")
async def test_an_answer_is_believed_for_a_minute(issuer: Issuer) -> None:
    api, text = asking(issuer), await issuer.user_token("opaque")
    api.validate(text)
    issuer.world.clock.advance(59)
    api.validate(text)
    assert issuer.asked_for(INTROSPECT) == 1
    issuer.world.clock.advance(1)
    api.validate(text)

    assert issuer.asked_for(INTROSPECT) == 2


async def test_who_changes_the_claims_of_a_token_changes_them_for_himself(issuer: Issuer) -> None:
    answering(issuer, roles=["reader"])
    api = asking(issuer)
    for _ in range(3):
        claims: Any = api.validate("opaque").claims
        assert claims["roles"] == ["reader"]
        claims["roles"].append("admin")


@pytest.mark.spec("RFC 7662", "4")
async def test_an_answer_is_never_believed_beyond_the_tokens_end(issuer: Issuer) -> None:
    answering(issuer, exp=NOW + 20)
    api = asking(issuer)
    api.validate("opaque")
    issuer.world.clock.advance(20)
    answering(issuer, active=False)

    assert "is not active" in refusal_of(api, "opaque")


@pytest.mark.spec("RFC 7662", "4")
async def test_a_revoked_token_is_refused_after_a_minute_at_the_latest(issuer: Issuer) -> None:
    api, text = asking(issuer), await issuer.user_token("opaque")
    api.validate(text)
    await issuer.world.end_all(Everything.USER, ADA, EndReason.REVOKED_BY_ADMIN)
    issuer.world.clock.advance(60)

    assert "is not active" in refusal_of(api, text)


async def test_without_a_lifetime_the_issuer_is_asked_each_time(issuer: Issuer) -> None:
    api, text = asking(issuer, lifetime=0), await issuer.user_token("opaque")
    api.validate(text)
    api.validate(text)

    assert issuer.asked_for(INTROSPECT) == 2


@pytest.mark.parametrize("members", [{"active": False}, {"aud": "https://other.example"}])
async def test_what_is_refused_is_refused_again_without_asking(issuer: Issuer, members: dict[str, object]) -> None:
    answering(issuer, **members)
    api = asking(issuer)
    first = refusal_of(api, "opaque")
    issuer.world.clock.advance(9)
    assert refusal_of(api, "opaque") == first
    assert issuer.asked_for(INTROSPECT) == 1
    issuer.world.clock.advance(1)
    refusal_of(api, "opaque")

    assert issuer.asked_for(INTROSPECT) == 2


async def test_so_many_answers_are_kept_and_no_more(issuer: Issuer) -> None:
    answering(issuer)
    api = asking(issuer, most=3)
    for number in range(4):
        api.validate(f"token-{number}")
    for number in (1, 2, 3, 0):
        api.validate(f"token-{number}")

    assert issuer.asked_for(INTROSPECT) == 5


async def test_garbage_drives_no_good_token_out(issuer: Issuer) -> None:
    api, text = asking(issuer, most=3), await issuer.user_token("opaque")
    api.validate(text)
    for number in range(9):
        refusal_of(api, f"garbage-{number}")
    before = issuer.asked_for(INTROSPECT)
    api.validate(text)

    assert issuer.asked_for(INTROSPECT) == before


async def test_no_token_stands_in_memory_after_it_was_answered(issuer: Issuer) -> None:
    api, text = asking(issuer), await issuer.user_token("opaque")
    api.validate(text)
    kept = api._known.introspected

    assert kept is not None
    assert text not in repr(vars(kept)) + repr(kept._active._answers)


async def test_a_secret_stands_in_no_repr(issuer: Issuer) -> None:
    text = await issuer.user_token("opaque")
    api = asking(issuer)
    api.validate(text)
    shown = f"{api!r} {issuer.asked!r}"

    assert CREDENTIALS["client_secret"] not in shown
    assert text not in shown
    assert "Basic" not in shown


async def test_refused_credentials_are_told_to_the_operator_and_not_to_the_caller(issuer: Issuer) -> None:
    api = asking(issuer, client_secret="wrong")
    trouble = trouble_of(api, "opaque")

    assert issuer.told == [
        f"{INTROSPECT} refuses the credentials of api: the client of this resource server must be set up anew"
    ]
    assert (trouble.status, trouble.retry_after) == (503, 10)
    assert b"credentials" not in api.refusal(trouble).body


async def test_refused_credentials_are_tried_again_after_ten_seconds(issuer: Issuer) -> None:
    api = asking(issuer, client_secret="wrong")
    waits = []
    for number in range(11):
        waits.append(trouble_of(api, f"opaque-{number}").retry_after)
        issuer.world.clock.advance(1)

    assert issuer.asked_for(INTROSPECT) == 2
    assert waits == [10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 10]


async def test_an_issuer_that_does_not_answer_is_left_alone_for_two_seconds(issuer: Issuer) -> None:
    api = asking(issuer, endpoint=INTROSPECT)
    issuer.down = True
    for number in range(4):
        trouble_of(api, f"opaque-{number}")
        issuer.world.clock.advance(1)

    assert issuer.asked_for(INTROSPECT) == 2
    assert issuer.told == [f"{INTROSPECT} does not answer"] * 2


@pytest.mark.parametrize(
    ("fetched", "problem"),
    [
        (Fetched(status=500), "answers 500"),
        (Fetched(status=403), "answers 403"),
        (Fetched(status=400), "answers 400"),
        (Fetched(status=200, body=b"<html>"), "gives no introspection response"),
        (Fetched(status=200, body=b"{}"), "gives no introspection response"),
        (Fetched(status=200, body=b'{"active": "true"}'), "gives no introspection response"),
    ],
)
async def test_an_answer_to_one_token_that_is_none_stops_no_other(
    issuer: Issuer, fetched: Fetched, problem: str
) -> None:
    api = asking(issuer)
    issuer.instead[INTROSPECT] = fetched
    assert trouble_of(api, "opaque").status == 503
    assert issuer.told == [f"{INTROSPECT} {problem}"]
    answering(issuer)

    assert api.validate("another").subject == ADA


async def test_known_tokens_are_good_while_the_issuer_is_down(issuer: Issuer) -> None:
    api, text = asking(issuer), await issuer.user_token("opaque")
    api.validate(text)
    issuer.down = True
    trouble_of(api, "opaque")

    assert api.validate(text).subject == ADA


async def test_the_endpoint_is_remembered_while_the_metadata_cannot_be_fetched(issuer: Issuer) -> None:
    api, text = asking(issuer), await issuer.user_token("opaque")
    api.validate(text)
    issuer.world.clock.advance(600)
    for url in (OAUTH_METADATA, OPENID_METADATA):
        issuer.instead[url] = Fetched(status=500)

    assert api.validate(text).subject == ADA


@pytest.mark.parametrize("secrets", [{}, {"client_secret": "x", "client_assertion": lambda audience: audience}])
def test_credentials_are_of_one_kind(secrets: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="needs a client_secret or a client_assertion, and not both"):
        Introspection(client_id="api", **secrets)


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"client_id": ""}, "needs the client_id"),
        ({"lifetime": -1}, "lifetimes are"),
        ({"inactive_lifetime": -1}, "lifetimes are"),
        ({"most": 0}, "most is 1 or more"),
    ],
)
def test_what_makes_no_sense_of_asking_is_told(settings: dict[str, Any], problem: str) -> None:
    whole: dict[str, Any] = {"client_id": "api", "client_secret": "x", **settings}

    with pytest.raises(ValueError, match=problem):
        Introspection(**whole)
