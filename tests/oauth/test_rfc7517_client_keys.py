"""RFC 7517: which keys of a client's JWK Set are used, inline and at its `jwks_uri`, and how they may change."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc.jwk import RSAKey

from asserting import jwks_of, proof, with_keys
from everbearer.oauth.crypto.client_keys import MOST_KEYS, UnusableKeys, read_jwks
from everbearer.oauth.crypto.keys import ALGORITHMS, SigningKey, generate_signing_key, signing_key_to_jwk
from everbearer.oauth.encoding import base64url
from everbearer.oauth.errors import InvalidClient, TemporarilyUnavailable
from every_store import ON_EVERY_STORE
from publishing import Publisher
from world import ANY_STORE, Answer, World, key_of

URI = "https://machine.example/jwks.json"
OLD, NEW = key_of("ES256"), key_of("EdDSA")


async def _publishing(world: World, publisher: Publisher, client: str = "machine") -> World:
    await with_keys(world, client, jwks_uri=URI)
    return replace(world, server=replace(world.server, jwks=publisher))


async def _ask(world: World, key: SigningKey, header: dict[str, Any] | None = None) -> Answer:
    return await world.token(
        {"grant_type": "client_credentials", **proof(world, "machine", key=key, header=header or {})}
    )


# At jwks_uri


@ON_EVERY_STORE
@pytest.mark.rt("RT-15")
@pytest.mark.spec("OpenID Connect Core", "10.1.1")
async def test_keys_may_change_between_two_refreshes(world: World) -> None:
    publisher = Publisher(URI, jwks_of(OLD))
    published = await _publishing(world, publisher, "web")
    signed_in = await published.redeem(await world.authorize("web"), client="web", **proof(world, key=OLD))
    refreshed = await published.refresh(signed_in.refresh_token, client="web", **proof(world, key=OLD))
    publisher.published = jwks_of(NEW)

    again = await published.refresh(refreshed.refresh_token, client="web", **proof(world, key=NEW))

    assert [answer.status for answer in (signed_in, refreshed, again)] == [200, 200, 200]
    late = await published.refresh(again.refresh_token, client="web", **proof(world, key=OLD))
    assert (late.status, late.error) == (401, "invalid_client")
    assert await world.end_reason(again.refresh_token) is None


@ANY_STORE
@pytest.mark.spec("OpenID Connect Core", "10.1.1")
async def test_a_familiar_kid_is_looked_up_in_what_is_known(world: World) -> None:
    publisher = Publisher(URI, jwks_of(OLD))
    published = await _publishing(world, publisher)

    answers = [await _ask(published, OLD) for _ in range(3)]

    assert [answer.status for answer in answers] == [200, 200, 200]
    assert publisher.asked == [False, False, False]


@ANY_STORE
@pytest.mark.spec("OpenID Connect Core", "10.1.1")
@pytest.mark.parametrize("header", [{}, {"kid": None}], ids=["unfamiliar kid", "no kid"])
async def test_the_verifier_knows_to_go_back_to_the_uri_for_another_key(world: World, header: dict[str, Any]) -> None:
    publisher = Publisher(URI, jwks_of(NEW), seen=jwks_of(OLD))
    published = await _publishing(world, publisher)

    answer = await _ask(published, NEW, header)

    assert answer.status == 200
    assert publisher.asked == [False, True]


@ANY_STORE
@pytest.mark.spec("RFC 7517", "5")
async def test_what_was_published_by_mistake_is_fetched_again(world: World) -> None:
    published = await _publishing(world, Publisher(URI, jwks_of(OLD), seen="<html>"))

    assert (await _ask(published, OLD)).status == 200


@ANY_STORE
@pytest.mark.spec("RFC 6749", "5.2")
async def test_what_is_no_jwk_set_is_told_to_the_developer(world: World) -> None:
    answer = await _ask(await _publishing(world, Publisher(URI, "<html>")), OLD)

    assert (answer.status, answer.error) == (401, "invalid_client")
    assert answer.json["error_description"] == "the jwks_uri of this client is not JSON"


@ANY_STORE
@pytest.mark.spec("RFC 6749", "5.2")
@pytest.mark.spec("RFC 9110", "15.6.4")
@pytest.mark.parametrize(
    ("trouble", "status"),
    [(InvalidClient("it answers 404"), 401), (TemporarilyUnavailable("it does not answer", retry_after=10), 503)],
)
async def test_keys_that_cannot_be_fetched_are_no_failure_of_the_client_where_that_passes(
    world: World, trouble: Exception, status: int
) -> None:
    answer = await _ask(await _publishing(world, Publisher(URI, trouble)), OLD)

    assert answer.status == status
    assert answer.headers.get("retry-after") == ("10" if status == 503 else None)


@ANY_STORE
@pytest.mark.spec("RFC 6749", "5.2")
async def test_a_server_that_fetches_nothing_says_so(world: World) -> None:
    await with_keys(world, "machine", jwks_uri=URI)

    answer = await _ask(world, OLD)

    assert (answer.status, answer.error) == (401, "invalid_client")
    assert "register the keys themselves" in answer.json["error_description"]


# Which key


@ANY_STORE
@pytest.mark.spec("RFC 7515", "4.1.4")
@pytest.mark.parametrize(
    ("kid", "named", "status"),
    [("a", "a", 200), ("a", "b", 401), ("a", None, 200), (None, "b", 200), (None, None, 200), ("a", ["a"], 401)],
)
async def test_the_kid_selects_among_the_keys(world: World, kid: str | None, named: Any, status: int) -> None:
    await with_keys(world, "machine", jwks=jwks_of(OLD, kid=kid))

    assert (await _ask(world, OLD, {"kid": named})).status == status


@ANY_STORE
@pytest.mark.spec("OpenID Connect Core", "10.1")
async def test_without_a_kid_all_keys_of_the_algorithm_are_tried(world: World) -> None:
    await with_keys(world, "machine", jwks=jwks_of(generate_signing_key("ES256"), NEW, OLD))

    assert (await _ask(world, OLD, {"kid": None})).status == 200


@pytest.mark.spec("RFC 7517", "4.4")
@pytest.mark.parametrize(
    ("alg", "algs"),
    [("ES256", ("ES256",)), ("RS256", ("RS256",)), ("PS256", ("PS256",)), ("EdDSA", ("EdDSA",))],
)
def test_a_key_that_names_its_algorithm_is_for_it_alone(alg: str, algs: tuple[str, ...]) -> None:
    assert [key.algs for key in read_jwks(jwks_of(key_of(alg)))] == [algs]


@pytest.mark.spec("RFC 7517", "4.1")
def test_a_key_that_names_none_is_for_all_that_fit_its_kind() -> None:
    keys = {"keys": [_without(key_of(alg).public_jwk, "alg", "kid", "use") for alg in ALGORITHMS]}

    found = read_jwks(json.dumps(keys))

    assert [key.algs for key in found] == [("ES256",), ("RS256", "PS256"), ("RS256", "PS256"), ("EdDSA",)]
    assert {key.kid for key in found} == {""}


@pytest.mark.spec("RFC 7517", "4.2", "4.3", "5")
@pytest.mark.spec("RFC 7518", "3.3")
@pytest.mark.parametrize(
    "changes",
    [
        {"use": "enc"},
        {"use": None},
        {"key_ops": ["sign"]},
        {"key_ops": "verify"},
        {"alg": "ES384"},
        {"alg": None},
        {"alg": ["ES256"]},
        {"kty": "oct", "k": "AAAA"},
        {"kty": "AKP"},
        {"kty": None},
        {"kty": []},
        {"crv": "P-384"},
        {"crv": {}},
        {"x": "AA"},
        {"x": 5},
        {"x": None},
        {"x": "\u00e9"},
        {"y": "!"},
    ],
    ids=str,
)
def test_keys_that_are_not_understood_or_out_of_range_are_ignored(changes: dict[str, Any]) -> None:
    keys = [{**OLD.public_jwk, **changes}, dict(OLD.public_jwk), 5, None]

    assert len(read_jwks(json.dumps({"keys": keys}))) == 1


@pytest.mark.spec("RFC 7517", "5")
def test_keys_whose_members_are_missing_are_ignored() -> None:
    keys = [_without(OLD.public_jwk, "x"), _without(key_of("RS256").public_jwk, "n"), _without(NEW.public_jwk, "x")]

    assert len(read_jwks(json.dumps({"keys": [*keys, dict(OLD.public_jwk)]}))) == 1


@cache
def _small_rsa_jwk() -> dict[str, Any]:
    private = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - it is to be ignored
    return dict(RSAKey.import_key(_pem(private)).as_dict(private=False))


def _pem(private: rsa.RSAPrivateKey) -> bytes:
    return private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.spec("RFC 7518", "3.3")
@pytest.mark.filterwarnings("ignore:Key size should be")
def test_a_key_of_2048_bits_or_larger_must_be_used() -> None:
    with pytest.raises(UnusableKeys, match="holds no key"):
        read_jwks(json.dumps({"keys": [_small_rsa_jwk()]}))


def test_a_key_that_takes_long_to_verify_with_is_ignored() -> None:
    huge = {"kty": "RSA", "e": "AQAB", "n": base64url(b"\xff" * 2000)}

    with pytest.raises(UnusableKeys, match="holds no key"):
        read_jwks(json.dumps({"keys": [huge]}))


@pytest.mark.spec("RFC 7517", "9.1")
@pytest.mark.parametrize("alg", ALGORITHMS)
def test_a_private_key_that_was_published_is_refused(alg: str) -> None:
    private = json.loads(signing_key_to_jwk(key_of(alg)))

    with pytest.raises(UnusableKeys, match="holds a private key"):
        read_jwks(json.dumps({"keys": [private]}))


@pytest.mark.spec("RFC 7517", "5")
@pytest.mark.parametrize(
    "document", ["", "x", "[" * 100_000, "5", "null", "[]", "{}", '{"keys": {}}', '{"keys": []}', '{"keys": [5]}']
)
def test_what_is_no_jwk_set_has_no_keys(document: str) -> None:
    with pytest.raises(UnusableKeys):
        read_jwks(document)


@pytest.mark.spec("RFC 7517", "5")
def test_no_more_keys_are_looked_at_than_anybody_needs() -> None:
    assert len(read_jwks(jwks_of(*[OLD] * (MOST_KEYS + 10)))) == MOST_KEYS


def _without(jwk: Any, *names: str) -> dict[str, Any]:
    return {name: value for name, value in jwk.items() if name not in names}
