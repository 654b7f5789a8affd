"""What members of client metadata hold (RFC 7591 §2): how a JSON value becomes a value of ours, and back."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar, cast

from everbearer.oauth.client import AuthMethod, SubjectType
from everbearer.oauth.encoding import standard_json
from everbearer.oauth.errors import InvalidScope
from everbearer.oauth.scope import format_scope, parse_scope
from everbearer.oauth.uris import is_loopback, split_uri

LONGEST = 2000
"""Characters of one text."""
LONGEST_NAME = 100
LONGEST_DOCUMENT = 16_000
"""Characters of a JWK Set or a software statement."""
MOST_ENTRIES = 50
"""How many texts a list may have."""
LONGEST_AGE = 10 * 366 * 24 * 60 * 60

_BREAKING = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Control characters, halves of surrogate pairs and separators of lines: no text has any."""
_DECEIVING = _BREAKING | {"Cf", "Co", "Cn"}
"""And those that turn the direction of writing or are not seen, by which a name looks like another."""
_JOINERS = "\u200c\u200d"
"""What languages of India and Persia write words with, and emoji are made of."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Kind:
    """What a member holds: how its JSON value becomes a value of ours, and back.

    `read` raises ValueError for one that will not do; the message is the end of a sentence that begins with its name.
    """

    read: Callable[[Any], Any]
    write: Callable[[Any], object]


def _as_it_is(value: T) -> T:
    return value


def _text(value: object, *, longest: int = LONGEST, refused: frozenset[str] = _BREAKING) -> str:
    if not isinstance(value, str):
        raise ValueError("must be a text")  # noqa: TRY004 - the sort of error that all of these are
    if len(value) > longest:
        raise ValueError(f"is longer than {longest} characters")
    if any(unicodedata.category(char) in refused and char not in _JOINERS for char in value):
        raise ValueError("holds a character that is not seen, or that breaks or turns what is written")
    return value


def _not_offered(value: object) -> str:  # noqa: ARG001 - whatever it is
    # Understood, so not passed over in silence: what such a client would send is refused.
    raise ValueError("is not offered: request objects are signed here, and not encrypted; leave it out")


def _name(value: object) -> str:
    # "the string value MUST be used as is wherever it is presented in a user interface" (RFC 7591 §2.2): a name that
    # cannot be is not made into another, but refused.
    name = _text(value, longest=LONGEST_NAME, refused=_DECEIVING)
    if name != name.strip() or not name.strip(_JOINERS):
        raise ValueError("begins or ends with a space, or is not seen at all")
    return name


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ValueError("must be an array of texts")  # noqa: TRY004 - the same
    texts = tuple(_text(each) for each in cast("list[object]", value))
    if len(texts) > MOST_ENTRIES or not all(texts):
        raise ValueError(f"must have at most {MOST_ENTRIES} texts, none of them empty")
    return tuple(dict.fromkeys(texts))


def _page(value: object) -> str:
    # "The value of this field MUST point to a valid web page" (RFC 7591 §2). Users are shown these as links: by http
    # anybody between could put in what they like.
    uri = _text(value)
    parts = split_uri(uri)
    host = parts.hostname if parts else None
    if parts is None or not host or "@" in parts.netloc:
        raise ValueError("must be an https URL")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise ValueError("must be an https URL")
    return uri


def _https(value: object) -> str:
    # "URI using the https scheme that a third party can use to initiate a login by the RP" (OpenID Connect
    # Registration §2); "URL using the https scheme to be used in calculating Pseudonymous Identifiers" (the same).
    uri = _page(value)
    if not uri.lower().startswith("https://") or "#" in uri:
        raise ValueError("must be an https URL without a fragment")
    return uri


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")  # noqa: TRY004 - the same
    return value


def _seconds(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LONGEST_AGE:
        raise ValueError("must be a whole number of seconds, not below 0")
    return value


def _scope(value: object) -> tuple[str, ...]:
    # "String containing a space-separated list of scope values" (RFC 7591 §2).
    try:
        return parse_scope(_text(value))
    except InvalidScope:
        raise ValueError("holds characters that a scope value cannot have") from None


def _jwks(value: object) -> str:
    # "The value of this field MUST be a JSON object containing a valid JWK Set" (RFC 7591 §2).
    keys = cast("dict[str, object]", value).get("keys") if isinstance(value, dict) else None
    jwks = cast("list[object]", keys) if isinstance(keys, list) else [None]
    if not all(map(_is_jwk, jwks)):
        raise ValueError("must be a JWK Set of public keys: an object whose member keys is an array of them")
    return _text(standard_json({"keys": jwks}).decode(), longest=LONGEST_DOCUMENT)


def _is_jwk(value: object) -> bool:
    if not isinstance(value, dict):
        return False
    members = cast("dict[str, object]", value)
    # A private or a shared key is known to others from now on.
    return not members.keys() & {"d", "k"} and all(map(_is_flat, members.values()))


def _is_flat(value: object) -> bool:
    if isinstance(value, list):
        return all(isinstance(each, str) for each in cast("list[object]", value))
    return isinstance(value, str | int)


def _one_of(choices: type[AuthMethod | SubjectType], value: object) -> object:
    try:
        return choices(_text(value))
    except ValueError:
        raise ValueError(f"must be one of: {', '.join(choices)}") from None


def _word_of(words: tuple[str, ...], value: object) -> str:
    word = _text(value)
    if word not in words:
        raise ValueError(f"must be one of: {', '.join(words)}")
    return word


TEXT = Kind(_text, _as_it_is)
NAME = Kind(_name, _as_it_is)
TEXTS = Kind(_texts, list)
PAGE = Kind(_page, _as_it_is)
HTTPS = Kind(_https, _as_it_is)
FLAG = Kind(_flag, _as_it_is)
SECONDS = Kind(_seconds, _as_it_is)
DOCUMENT = Kind(partial(_text, longest=LONGEST_DOCUMENT), _as_it_is)
SCOPE = Kind(_scope, format_scope)
JWKS = Kind(_jwks, json.loads)
AUTH_METHOD = Kind(partial(_one_of, AuthMethod), str)
SUBJECT_TYPE = Kind(partial(_one_of, SubjectType), str)
APPLICATION_TYPE = Kind(partial(_word_of, ("web", "native")), _as_it_is)
ENCRYPTED_REQUESTS = Kind(_not_offered, _as_it_is)
