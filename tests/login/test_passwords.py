from __future__ import annotations

import pytest
from argon2 import PasswordHasher

from everbearer.login.passwords import (
    NOBODYS_HASH,
    Weakness,
    hash_password,
    is_password_hash,
    needs_upgrade,
    password_matches,
    weakness,
)


def test_a_hash_is_argon2id_with_the_parameters_of_owasp() -> None:
    assert hash_password("correct horse battery").startswith("$argon2id$v=19$m=19456,t=2,p=1$")


@pytest.mark.parametrize(
    ("text", "is_hash"),
    [
        (NOBODYS_HASH, True),
        (f"$argon2id$v=19$m=65536,t=3,p=4${'A' * 11}${'A' * 16}", True),
        (NOBODYS_HASH.replace("argon2id", "argon2i"), False),
        (NOBODYS_HASH.replace("v=19", "v=16"), False),
        (NOBODYS_HASH.replace("AAA$", "!!!$"), False),
        (NOBODYS_HASH + "\n", False),
        ("$2b$12$" + "A" * 53, False),
        ("password", False),
        ("", False),
    ],
)
def test_a_hash_is_known_by_its_form_whatever_its_parameters(text: str, is_hash: bool) -> None:
    assert is_password_hash(text) is is_hash


def test_what_other_servers_made_is_known_too() -> None:
    hasher = PasswordHasher(time_cost=1, memory_cost=64, parallelism=2, salt_len=8, hash_len=12)

    assert is_password_hash(hasher.hash("x"))


def test_a_password_matches_its_own_hash_only() -> None:
    hashed = hash_password("correct horse battery")

    assert password_matches(hashed, "correct horse battery")
    assert not password_matches(hashed, "correct horse batterz")


def test_two_hashes_of_one_password_differ() -> None:
    assert hash_password("correct horse battery") != hash_password("correct horse battery")


@pytest.mark.spec("ASVS 5.0", "6.2.8")
@pytest.mark.parametrize("typed", [" correct horse", "correct horse ", "Correct horse", "correct horse\u200b"])
def test_a_password_is_verified_exactly_as_typed(typed: str) -> None:
    assert not password_matches(hash_password("correct horse"), typed)


def test_a_password_of_any_characters_can_be_hashed() -> None:
    assert password_matches(hash_password("päss\ud800 🍓 word"), "päss\ud800 🍓 word")


def test_an_unreadable_hash_matches_nothing() -> None:
    assert not password_matches("$argon2id$rubbish", "correct horse battery")


def test_nobodys_hash_costs_what_everybodys_does_and_matches_nothing() -> None:
    assert not needs_upgrade(NOBODYS_HASH)
    assert not password_matches(NOBODYS_HASH, "")


def test_a_hash_with_weaker_parameters_needs_an_upgrade() -> None:
    weak = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash("correct horse battery")

    assert needs_upgrade(weak)
    assert not needs_upgrade(hash_password("correct horse battery"))


@pytest.mark.spec("ASVS 5.0", "6.2.1", "6.2.4", "6.2.5", "6.2.9", "6.2.11")
@pytest.mark.parametrize(
    ("password", "expected"),
    [
        ("7 chars", Weakness.TOO_SHORT),
        ("x" * 64 + "yz!12345" * 9, Weakness.TOO_LONG),
        ("password", Weakness.COMMON),
        ("Password123!", Weakness.COMMON),
        ("12345678", Weakness.COMMON),
        ("87654321", Weakness.COMMON),
        ("aaaaaaaaaaaa", Weakness.COMMON),
        ("asdfghjkl", Weakness.COMMON),
        ("p@ssw0rd", Weakness.COMMON),
        ("everbearer1", Weakness.COMMON),
        ("Ada.Lovelace", Weakness.IS_LOGIN),
        ("ada.lovelace@example.com", Weakness.IS_LOGIN),
        ("only lower case words", None),
        ("12 strawberries, 7 raspberries " * 4, None),
        ("geburtstagsüberraschung", None),
    ],
)
def test_a_new_password_is_refused_only_where_it_is_easily_guessed(password: str, expected: Weakness | None) -> None:
    assert weakness(password, "ada.lovelace@example.com") is expected
