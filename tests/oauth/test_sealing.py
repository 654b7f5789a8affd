"""Sealing, and the tokens that are sealed: nothing else unseals, whatever is changed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from everbearer.oauth.crypto.sealing import NUMBER_LENGTH, Sealer
from everbearer.oauth.encoding import base64url, from_base64url
from everbearer.oauth.models import Authentication, DeviceAuthorization, Grant
from everbearer.oauth.randomness import random_id
from everbearer.oauth.tokens.refresh_tokens import (
    open_code,
    open_device_code,
    open_refresh_token,
    seal_code,
    seal_device_code,
    seal_refresh_token,
)

OLD, NEW = b"the old secret of the server......", b"the new secret of the server......"
SEALER = Sealer([NEW])

GRANT = Grant(
    grant_id=base64url(bytes(range(16))),
    client_id="spa",
    subject="ada",
    scope=(),
    secret=b"sixteen bytes...",
    offline=True,
    authentication=Authentication(subject="ada", auth_time=0),
    created_at=0,
    rotated_at=0,
    used_at=0,
    generation=3,
)


DEVICE = DeviceAuthorization(
    grant_id=GRANT.grant_id,
    user_code="BCDFGHJK",
    client_id="spa",
    scope=(),
    secret=GRANT.secret,
    created_at=0,
    expires_at=600,
    interval=5,
)


@given(st.binary(max_size=100), st.text(max_size=10))
def test_what_is_sealed_unseals(plain: bytes, purpose: str) -> None:
    assert SEALER.unseal(purpose, SEALER.seal(purpose, plain)) == plain


@pytest.mark.spec("RFC 5297", "1.3.4")
def test_the_same_is_sealed_the_same() -> None:
    assert SEALER.seal("p", b"x") == Sealer([NEW, OLD]).seal("p", b"x")


def test_no_purpose_unseals_for_another() -> None:
    assert SEALER.unseal("q", SEALER.seal("p", b"x")) is None


@given(st.data())
def test_nothing_that_was_changed_unseals(data: st.DataObject) -> None:
    sealed = SEALER.seal("p", b"something that is secret")
    place = data.draw(st.integers(0, len(sealed) - 1))
    changed = sealed[:place] + bytes([sealed[place] ^ data.draw(st.integers(1, 255))]) + sealed[place + 1 :]

    assert SEALER.unseal("p", changed) is None


@given(st.binary(max_size=60))
def test_nothing_made_up_unseals(made_up: bytes) -> None:
    assert SEALER.unseal("p", made_up) is None
    assert SEALER.unseal("p", SEALER.seal("p", b"")[:2] + made_up) is None


def test_an_older_secret_still_unseals_and_the_newest_seals() -> None:
    both = Sealer([NEW, OLD])

    assert both.unseal("p", Sealer([OLD]).seal("p", b"x")) == b"x"
    assert both.seal("p", b"x") == SEALER.seal("p", b"x")
    assert SEALER.unseal("p", Sealer([OLD]).seal("p", b"x")) is None


def test_a_keyed_hash_matches_under_any_secret_and_for_its_purpose_alone() -> None:
    both, hashed = Sealer([NEW, OLD]), Sealer([OLD]).keyed_hash("p", b"x")

    assert both.keyed_hash_matches("p", b"x", hashed)
    assert not both.keyed_hash_matches("p", b"y", hashed)
    assert not both.keyed_hash_matches("q", b"x", hashed)
    assert not SEALER.keyed_hash_matches("p", b"x", hashed)


@pytest.mark.parametrize("secrets", [[], [b"short"], [NEW, b"short"]])
def test_a_secret_must_be_long(secrets: list[bytes]) -> None:
    with pytest.raises(ValueError, match="at least 32 bytes"):
        Sealer(secrets)


@pytest.mark.rt("RT-73")
@pytest.mark.parametrize(
    "secrets", [b"32 bytes that are random elsewhere", "32 characters that are random elsewhere", ["a" * 40]]
)
def test_one_secret_is_not_a_list_of_them_nor_a_text_a_secret(secrets: Any) -> None:
    with pytest.raises(
        TypeError, match=r"^the server's secrets are a list of bytes, newest first: write Sealer\(\[secret"
    ):
        Sealer(secrets)


def test_a_sealer_shows_no_secret() -> None:
    assert repr(Sealer([NEW, OLD])) == "Sealer(2 secrets)"


@given(st.integers(0, 2**56 - 1))
def test_a_token_tells_its_grant_and_generation(generation: int) -> None:
    presented = open_refresh_token(seal_refresh_token(replace(GRANT, generation=generation), SEALER), SEALER)

    assert presented is not None
    assert (presented.grant_id, presented.generation) == (GRANT.grant_id, generation)
    assert presented.belongs_to(GRANT)


@pytest.mark.rt("RT-72")
def test_a_token_of_another_secret_in_the_row_belongs_to_nothing() -> None:
    presented = open_refresh_token(seal_refresh_token(GRANT, SEALER), SEALER)

    assert presented is not None
    assert not presented.belongs_to(replace(GRANT, secret=bytes(16)))
    assert "sixteen" not in repr(presented)


def test_codes_device_codes_and_refresh_tokens_are_never_taken_for_each_other() -> None:
    openers = {"erb_": open_refresh_token, "erc_": open_code, "erd_": open_device_code}
    made = [seal_refresh_token(GRANT, SEALER), seal_code(GRANT, SEALER), seal_device_code(DEVICE, SEALER)]
    for text in made:
        taken = {prefix for prefix, opened in openers.items() if opened(text, SEALER)}
        forced = {prefix for prefix, opened in openers.items() if opened(prefix + text[4:], SEALER)}

        assert taken == forced == {text[:4]}


def test_a_sealed_value_of_another_length_is_no_token() -> None:
    too_long = "erb_" + base64url(SEALER.seal("refresh token", bytes(40)))

    assert open_refresh_token(too_long, SEALER) is None


@given(st.binary(max_size=50))
def test_base64url_has_one_way_to_write_a_value(data: bytes) -> None:
    text = base64url(data)

    assert from_base64url(text) == data
    for other in (text + "=", text + "\n", " " + text, text + "A" * (1 + 2 * (len(text) % 4 == 2))):
        assert from_base64url(other) != data


@pytest.mark.parametrize("text", ["A", "AB=", "+/+/", "\u00e9", "A A=", "AB"])
def test_what_is_not_canonical_base64url_is_nothing(text: str) -> None:
    assert from_base64url(text) is None


def test_two_secrets_of_one_number_are_refused() -> None:
    numbers: dict[bytes, bytes] = {}
    for count in range(100_000):
        secret = count.to_bytes(32, "big")
        number = Sealer([secret]).seal("anything", b"")[:NUMBER_LENGTH]
        if number in numbers:
            with pytest.raises(ValueError, match="the same number"):
                Sealer([secret, numbers[number]])
            return
        numbers[number] = secret
    pytest.fail("no two numbers met")


def test_an_id_can_be_typed_on_a_command_line() -> None:
    assert not [text for text in (random_id() for _ in range(2000)) if text.startswith("-")]
