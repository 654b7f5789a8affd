"""Passwords: argon2id in PHC form (RFC 9106, OWASP Password Storage) and what a new one must satisfy (ASVS 6.2)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from enum import StrEnum
from typing import Protocol, TypeVar

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from everbearer.login.common_passwords import COMMON_WORDS, SEQUENCES
from everbearer.oauth.randomness import random_bytes

T = TypeVar("T")

MEMORY_KIB = 19 * 1024
ITERATIONS = 2
LANES = 1
SALT_LENGTH = 16
HASH_LENGTH = 32

SHORTEST = 8
LONGEST = 128

NOBODYS_HASH = f"$argon2id$v=19$m={MEMORY_KIB},t={ITERATIONS},p={LANES}${'A' * 22}${'A' * 43}"
"""What the password of an unknown user is compared with, so that the time of the answer tells nothing."""

_PHC = re.compile(
    r"\$argon2id\$v=19\$m=[0-9]{1,10},t=[0-9]{1,10},p=[0-9]{1,8}\$[A-Za-z0-9+/]{11,64}\$[A-Za-z0-9+/]{16,86}"
)
"""RFC 9106 §3.1; salts of 8 bytes and tags of 12 are the shortest that are verified."""

_HASHER = PasswordHasher(
    time_cost=ITERATIONS,
    memory_cost=MEMORY_KIB,
    parallelism=LANES,
    hash_len=HASH_LENGTH,
    salt_len=SALT_LENGTH,
    type=Type.ID,
)


class RunHeavy(Protocol):
    """Run a computation that takes long where it keeps nobody waiting, such as in a thread, and return its result."""

    async def __call__(self, work: Callable[[], T]) -> T:
        """Return what `work` returns, or raise what it raises."""
        ...


class Weakness(StrEnum):
    """Why a new password is refused."""

    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    COMMON = "common"
    """Among the first that anybody guesses."""
    IS_LOGIN = "is_login"
    """The login, or the part of it before the @."""


def hash_password(password: str) -> str:
    """Return the argon2id hash of a password, in PHC form. Takes tens of milliseconds of one CPU."""
    return _HASHER.hash(_exact(password), salt=random_bytes(SALT_LENGTH))


def password_matches(password_hash: str, password: str) -> bool:
    """Return whether the password is the one of the hash; as slow as hashing. An unreadable hash matches nothing."""
    try:
        return _HASHER.verify(password_hash, _exact(password))
    except (VerificationError, InvalidHashError):
        return False


def is_password_hash(text: str) -> bool:
    """Return whether a text is an argon2id hash in PHC form, whatever its parameters."""
    return _PHC.fullmatch(text) is not None


def needs_upgrade(password_hash: str) -> bool:
    """Return whether the hash was made with other parameters than today's."""
    return _HASHER.check_needs_rehash(password_hash)


def weakness(password: str, login: str) -> Weakness | None:
    """Return why a new password is not acceptable, None where it is (ASVS 6.2.1, 6.2.4, 6.2.9, 6.2.11)."""
    if len(password) < SHORTEST:
        return Weakness.TOO_SHORT
    if len(password) > LONGEST:
        return Weakness.TOO_LONG
    folded = unicodedata.normalize("NFKC", password).casefold()
    if folded in {login.casefold(), login.casefold().partition("@")[0]}:
        return Weakness.IS_LOGIN
    return Weakness.COMMON if _is_common(folded) else None


def _exact(password: str) -> bytes:
    # "Verified exactly as received" (ASVS 6.2.8): nothing is trimmed, folded or cut.
    return password.encode("utf-8", "surrogatepass")


def _is_common(folded: str) -> bool:
    few_characters = len(set(folded)) < 5  # noqa: PLR2004 - aaaaaaaa, 12121212, 12341234
    in_sequence = any(folded in sequence for sequence in SEQUENCES)
    # What people add to a word to please a rule: password1, Password!, 123qwerty.
    core = folded.strip("0123456789!?.,;:*#+-_@$%&/()= ")
    return few_characters or in_sequence or folded in COMMON_WORDS or core in COMMON_WORDS
