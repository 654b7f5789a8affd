"""User codes: what people read on a device and type elsewhere (RFC 8628 §6.1)."""

from __future__ import annotations

from everbearer.oauth.randomness import random_letters

ALPHABET = "BCDFGHJKLMNPQRSTVWXZ"
"""No vowels, so that no words come of it, nor letters that look like digits."""
LENGTH = 8
"""With twenty letters about 34.5 bits: whoever takes codes from people limits how often they may try (§5.1)."""

MOST_TYPED = 100
"""How many characters of what somebody typed are looked at."""


def new_user_code() -> str:
    """Return a code at random."""
    return random_letters(ALPHABET, LENGTH)


def shown_user_code(code: str) -> str:
    """Return a code as people read it: two groups of four."""
    return f"{code[: LENGTH // 2]}-{code[LENGTH // 2 :]}"


def read_user_code(text: str) -> str | None:
    """Return the code that somebody typed, in whatever case and with whatever between its letters; None for no code."""
    # "the server should strip dashes and other punctuation that it added for readability", and what is not of its
    # alphabet besides (§6.1).
    letters = "".join(letter for letter in text[:MOST_TYPED].upper() if letter in ALPHABET)
    return letters if len(letters) == LENGTH else None
