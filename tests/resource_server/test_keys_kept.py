"""The issuer's keys: fetched when they are wanted, kept for a while, and looked for anew without a storm."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from asserting import jwks_of
from everbearer.oauth.crypto.keys import KeySet, SigningKey, generate_signing_key
from everbearer.resource_server import Fetched, ResourceServer, TemporarilyUnavailable
from resource_server.issuer_world import JWKS, OAUTH_METADATA, OPENID_METADATA, Issuer, refusal_of
from world import ADA, ISSUER, NOW, key_of

OTHER = "https://keys.example/jwks"
LONG = NOW + 10_000


def with_keys(issuer: Issuer, *keys: SigningKey) -> None:
    """Let the issuer publish these keys and no others."""
    key_set = KeySet(signing={key.alg: key for key in keys}, published=keys)
    issuer.world.server = replace(issuer.world.server, keys=lambda: key_set)


def trouble_of(api: ResourceServer, text: str) -> TemporarilyUnavailable:
    with pytest.raises(TemporarilyUnavailable) as refused:
        api.validate(text)
    return refused.value


async def test_keys_are_fetched_once_for_many_tokens(issuer: Issuer) -> None:
    api = issuer.api()
    for _ in range(5):
        api.validate(await issuer.token())

    assert [wanted.url for wanted in issuer.asked] == [OAUTH_METADATA, JWKS]


async def test_they_are_fetched_anew_when_their_lifetime_is_over(issuer: Issuer) -> None:
    api, token = issuer.api(), issuer.forged(exp=LONG)
    api.validate(token)
    issuer.world.clock.advance(599)
    api.validate(token)
    assert issuer.asked_for(JWKS) == 1
    issuer.world.clock.advance(1)
    api.validate(token)

    assert issuer.asked_for(JWKS) == 2


@pytest.mark.spec("RFC 9068", "4")
async def test_a_new_key_is_found_at_once(issuer: Issuer) -> None:
    api, new = issuer.api(), generate_signing_key("ES256")
    api.validate(issuer.forged())
    with_keys(issuer, key_of("ES256"), new)
    issuer.world.clock.advance(10)

    assert api.validate(issuer.forged(key=new)).subject == ADA
    assert issuer.asked_for(JWKS) == 2


async def test_forged_kids_make_one_fetch_in_ten_seconds(issuer: Issuer) -> None:
    api, stranger = issuer.api(), generate_signing_key("ES256")
    for second in range(20):
        for number in range(5):
            refusal_of(api, issuer.forged(key=stranger, header={"kid": f"{second}-{number}"}))
        issuer.world.clock.advance(1)

    assert issuer.asked_for(JWKS) == 2


async def test_forged_tokens_without_kid_make_no_more(issuer: Issuer) -> None:
    api, stranger = issuer.api(), generate_signing_key("ES256")
    for _ in range(9):
        refusal_of(api, issuer.forged(key=stranger, header={"kid": None}))

    assert issuer.asked_for(JWKS) == 1


async def test_a_wrong_signature_under_a_known_kid_makes_no_fetch(issuer: Issuer) -> None:
    api, stranger = issuer.api(), generate_signing_key("ES256")
    api.validate(issuer.forged())
    issuer.world.clock.advance(100)
    refusal_of(api, issuer.forged(key=stranger, header={"kid": key_of("ES256").kid}))

    assert issuer.asked_for(JWKS) == 1


async def test_a_token_whose_issuer_is_down_is_not_called_invalid(issuer: Issuer) -> None:
    issuer.down = True
    trouble = trouble_of(issuer.api(), issuer.forged())

    assert (trouble.status, trouble.retry_after) == (503, 2)
    assert issuer.told == [f"{OAUTH_METADATA} does not answer; {OPENID_METADATA} does not answer"]


async def test_the_caller_is_not_told_what_the_operator_is(issuer: Issuer) -> None:
    issuer.down = True
    api = issuer.api()
    response = api.refusal(trouble_of(api, issuer.forged()))

    assert (response.status, dict(response.headers)["Retry-After"]) == (503, "2")
    assert b"id.example" not in response.body
    assert "WWW-Authenticate" not in dict(response.headers)


async def test_an_issuer_that_is_down_is_asked_every_two_seconds_at_most(issuer: Issuer) -> None:
    issuer.down = True
    api = issuer.api()
    waits = []
    for _ in range(6):
        waits.append(trouble_of(api, issuer.forged()).retry_after)
        issuer.world.clock.advance(1)

    assert issuer.asked_for(OAUTH_METADATA) == 3
    assert waits == [2, 1, 2, 1, 2, 1]


async def test_an_issuer_that_comes_back_is_believed_again(issuer: Issuer) -> None:
    issuer.down = True
    api = issuer.api()
    trouble_of(api, issuer.forged())
    issuer.down = False
    issuer.world.clock.advance(2)

    assert api.validate(issuer.forged()).subject == ADA


async def test_known_keys_will_do_while_the_issuer_is_down(issuer: Issuer) -> None:
    api, token = issuer.api(), issuer.forged(exp=LONG)
    api.validate(token)
    issuer.down = True
    issuer.world.clock.advance(3599)

    assert api.validate(token).subject == ADA


async def test_they_will_not_do_for_ever(issuer: Issuer) -> None:
    api, token = issuer.api(), issuer.forged(exp=LONG)
    api.validate(token)
    issuer.down = True
    issuer.world.clock.advance(3600)

    assert trouble_of(api, token).status == 503


async def test_one_request_in_ten_seconds_waits_for_an_issuer_that_is_down(issuer: Issuer) -> None:
    api, token = issuer.api(), issuer.forged(exp=LONG)
    api.validate(token)
    issuer.down = True
    issuer.world.clock.advance(600)
    before = issuer.asked_for(OAUTH_METADATA)
    for _ in range(20):
        api.validate(token)
        issuer.world.clock.advance(1)

    assert issuer.asked_for(OAUTH_METADATA) == before + 2


async def test_an_unknown_kid_is_not_called_forged_while_the_issuer_is_down(issuer: Issuer) -> None:
    api = issuer.api()
    api.validate(issuer.forged())
    issuer.down = True
    issuer.world.clock.advance(10)

    assert trouble_of(api, issuer.forged(key=generate_signing_key("ES256"))).status == 503
    assert trouble_of(api, issuer.forged(key=generate_signing_key("ES256"))).status == 503
    assert issuer.asked_for(JWKS) == 2


async def test_known_keys_serve_on_while_unknown_ones_cannot_be_looked_for(issuer: Issuer) -> None:
    api = issuer.api()
    api.validate(issuer.forged())
    issuer.down = True
    issuer.world.clock.advance(10)
    trouble_of(api, issuer.forged(key=generate_signing_key("ES256")))

    assert api.validate(issuer.forged()).subject == ADA


async def test_keys_may_stand_where_the_metadata_does_not_say(issuer: Issuer) -> None:
    issuer.instead[OTHER] = Fetched(status=200, body=jwks_of(key_of("ES256")).encode())

    assert issuer.api(jwks_uri=OTHER).validate(issuer.forged()).subject == ADA
    assert [wanted.url for wanted in issuer.asked] == [OTHER]


@pytest.mark.parametrize(
    ("fetched", "problem"),
    [
        (Fetched(status=404), "answers 404"),
        (Fetched(status=302), "answers 302"),
        (Fetched(status=200, body=b"<html>"), "is not JSON"),
        (Fetched(status=200, body=b"\xff\xfe"), "is not JSON"),
        (Fetched(status=200, body=b"[]"), 'is not a JWK Set: write {"keys": [...]}'),
        (Fetched(status=200, body=b'{"keys": []}'), "holds no key that verifies ES256, RS256, PS256 or EdDSA"),
        (Fetched(status=0), "does not answer"),
    ],
)
async def test_keys_that_cannot_be_used_are_told_to_the_operator(
    issuer: Issuer, fetched: Fetched, problem: str
) -> None:
    issuer.instead[JWKS] = fetched
    trouble_of(issuer.api(), issuer.forged())

    assert issuer.told == [f"{JWKS} {problem}"]


@pytest.mark.spec("RFC 8414", "3.1")
@pytest.mark.parametrize("name", ["https://id.example/tenant/1", "https://id.example/tenant/1/"])
async def test_the_metadata_is_looked_for_where_both_specifications_put_it(issuer: Issuer, name: str) -> None:
    api = issuer.api(issuer=name)
    trouble_of(api, issuer.forged(iss=name))

    assert [wanted.url for wanted in issuer.asked] == [
        "https://id.example/.well-known/oauth-authorization-server/tenant/1",
        "https://id.example/tenant/1/.well-known/openid-configuration",
    ]


@pytest.mark.spec("OpenID Connect Discovery", "4")
async def test_an_issuer_with_openid_metadata_alone_is_found(issuer: Issuer) -> None:
    issuer.instead[OAUTH_METADATA] = Fetched(status=404)

    assert issuer.api().validate(issuer.forged()).subject == ADA
    assert issuer.told == []


@pytest.mark.spec("RFC 8414", "3.3")
async def test_the_metadata_of_another_issuer_is_not_used(issuer: Issuer) -> None:
    for url in (OAUTH_METADATA, OPENID_METADATA):
        issuer.instead[url] = Fetched(status=200, body=b'{"issuer": "https://evil.example", "jwks_uri": "x"}')
    trouble_of(issuer.api(), issuer.forged())

    assert issuer.told[0].startswith(f"{OAUTH_METADATA} is the metadata of another issuer; {OPENID_METADATA} is")


@pytest.mark.parametrize("body", [b"", b"[]", b"<html>", b"[" * 5000, b"\xff"])
async def test_metadata_that_is_none_is_told_to_the_operator(issuer: Issuer, body: bytes) -> None:
    for url in (OAUTH_METADATA, OPENID_METADATA):
        issuer.instead[url] = Fetched(status=200, body=body)
    trouble_of(issuer.api(), issuer.forged())

    assert issuer.told[0].startswith(f"{OAUTH_METADATA} is not a JSON object; ")


@pytest.mark.parametrize("uri", ["http://id.example/jwks", "file:///etc/passwd", "", 1, None, "https://a@id.example/"])
async def test_keys_are_fetched_from_https_alone(issuer: Issuer, uri: Any) -> None:
    issuer.instead[OAUTH_METADATA] = Fetched(status=200, body=metadata_with(uri))
    trouble_of(issuer.api(), issuer.forged())

    assert issuer.told == [f"the metadata of {ISSUER} has no jwks_uri that is an https URL"]


async def test_the_same_trouble_is_told_once_while_it_lasts_a_moment(issuer: Issuer) -> None:
    issuer.down = True
    api = issuer.api()
    trouble_of(api, issuer.forged())
    trouble_of(api, issuer.forged())
    assert len(issuer.told) == 1
    issuer.world.clock.advance(2)
    trouble_of(api, issuer.forged())

    assert len(issuer.told) == 2


def metadata_with(uri: object) -> bytes:
    return json.dumps({"issuer": ISSUER, "jwks_uri": uri}).encode()
