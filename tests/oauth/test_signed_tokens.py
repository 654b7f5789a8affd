"""A token that was verified once is known by its hash; every other text is verified anew."""

from __future__ import annotations

from dataclasses import replace

import pytest

from everbearer.oauth.crypto import jws
from everbearer.oauth.crypto.keys import KeySet, SigningKey, generate_signing_key
from everbearer.oauth.crypto.signed_tokens import MOST, SignedTokens
from world import World, key_of


@pytest.fixture
def key() -> SigningKey:
    """Return a key that has not signed anything yet."""
    return replace(key_of("ES256"))


def _set(key: SigningKey) -> KeySet:
    return KeySet(signing={key.alg: key}, published=(key,))


def _changed(token: str) -> str:
    return token[:-2] + ("AA" if token[-2:] != "AA" else "BB")


def test_a_token_is_remembered_once_its_signature_was_verified(key: SigningKey) -> None:
    token = jws.sign({"sub": "ada"}, key, typ="at+jwt")
    before = token in key.signed
    claims = jws.verify(token, _set(key), typ="at+jwt")

    assert not before
    assert token in key.signed
    assert jws.verify(token, _set(key), typ="at+jwt") == claims == {"sub": "ada"}


@pytest.mark.spec("RFC 7515", "5.2")
def test_another_signature_under_the_same_claims_is_refused_and_not_remembered(key: SigningKey) -> None:
    token = jws.sign({"sub": "ada"}, key, typ="at+jwt")
    assert jws.verify(token, _set(key), typ="at+jwt")

    assert jws.verify(_changed(token), _set(key), typ="at+jwt") is None
    assert _changed(token) not in key.signed


@pytest.mark.spec("RFC 8725", "3.11")
def test_a_remembered_token_is_still_of_its_type_alone(key: SigningKey) -> None:
    token = jws.sign({"sub": "ada"}, key, typ="at+jwt")
    assert jws.verify(token, _set(key), typ="at+jwt")

    assert jws.verify(token, _set(key), typ="JWT") is None


def test_what_one_key_signed_is_not_known_of_another_of_the_same_id(key: SigningKey) -> None:
    token = jws.sign({"sub": "ada"}, key, typ="at+jwt")
    assert jws.verify(token, _set(key), typ="at+jwt")
    other = replace(generate_signing_key("ES256"), kid=key.kid)

    assert jws.verify(token, _set(other), typ="at+jwt") is None


def test_a_remembered_token_is_refused_once_its_key_is_gone(key: SigningKey) -> None:
    token = jws.sign({"sub": "ada"}, key, typ="at+jwt")
    assert jws.verify(token, _set(key), typ="at+jwt")

    assert jws.verify(token, KeySet(signing={}, published=()), typ="at+jwt") is None


def test_a_bounded_number_is_remembered_the_newest_of_all() -> None:
    signed = SignedTokens()
    for number in range(MOST + 1):
        signed.add(str(number))

    assert "0" not in signed
    assert "1" in signed
    assert str(MOST) in signed


def test_no_token_shows_in_its_repr(key: SigningKey) -> None:
    token = jws.sign({"sub": "ada"}, key, typ="at+jwt")
    jws.verify(token, _set(key), typ="at+jwt")

    assert token not in repr(key)
    assert token not in repr(key.signed)


async def test_a_remembered_token_still_expires_and_ends(world: World) -> None:
    answer = await world.sign_in("spa")
    assert (await world.introspect(answer.access_token)).json["active"]
    world.clock.advance(3600)

    assert not (await world.introspect(answer.access_token)).json["active"]
