"""The parameters of a request, read strictly (RFC 6749 §3.1, §3.2 and Appendix B)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import TypeVar, overload
from urllib.parse import unquote_to_bytes, urlencode

from everbearer.oauth.errors import InvalidRequest
from everbearer.oauth.messages import Request

T = TypeVar("T")

FORM = "application/x-www-form-urlencoded"
MAY_REPEAT = frozenset({"resource", "audience"})
"""RFC 8707 §2 and RFC 8693 §2.1 let these be sent more than once."""
MOST_PARAMETERS = 100


class Parameters(Mapping[str, str]):
    """The parameters of one request: each once, none empty. Its repr shows names only, for values may be secrets."""

    __slots__ = ("_repeated", "_single")

    def __init__(
        self, single: Mapping[str, str], repeated: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    ) -> None:
        self._single = dict(single)
        self._repeated = dict(repeated)

    def __getitem__(self, name: str) -> str:
        return self._single[name]

    # A mapping finds out by raising KeyError what is not there; most parameters that are asked for are not.
    def __contains__(self, name: object) -> bool:
        return name in self._single

    @overload
    def get(self, key: str, /) -> str | None: ...
    @overload
    def get(self, key: str, /, default: str | T) -> str | T: ...
    def get(self, key: str, /, default: str | T | None = None) -> str | T | None:
        """Return the value of a parameter, `default` where it is not there."""
        return self._single.get(key, default)

    def __iter__(self) -> Iterator[str]:
        return iter(self._single)

    def __len__(self) -> int:
        return len(self._single)

    def __repr__(self) -> str:
        return f"Parameters({', '.join(sorted(self._single))})"

    def every(self, name: str) -> tuple[str, ...]:
        """Return all values of a parameter that may be repeated."""
        return self._repeated.get(name, ())

    def require(self, name: str) -> str:
        """Return the value of a parameter that must be there.

        Raises:
            InvalidRequest: it is missing or empty.

        """
        value = self._single.get(name)
        if value is None:
            raise InvalidRequest(f"the parameter {name} is missing")
        return value


def posted_parameters(request: Request) -> Parameters:
    """Return the parameters in the body of a POST (RFC 6749 §3.2).

    Raises:
        InvalidRequest: the body is not a form, is malformed or repeats a parameter.

    """
    if request.media_type != FORM:
        raise InvalidRequest(
            f"send the parameters in the body as {FORM}, not as {request.media_type or 'an unnamed type'}"
        )
    # Some HTTP libraries (axios before 1.0) declare a form and send JSON. No form starts with a brace.
    if request.body.lstrip()[:1] == b"{":
        return _from_json(request.body)
    try:
        return parse(request.body.decode("ascii"))
    except UnicodeDecodeError:
        raise InvalidRequest("the form holds characters that are not percent-encoded") from None


def parse(encoded: str) -> Parameters:
    """Return the parameters of a query or form, decoded (RFC 6749 Appendix B).

    Raises:
        InvalidRequest: it is malformed, has too many parameters or repeats one.

    """
    if not encoded:
        return Parameters({})
    pairs = encoded.split("&")
    if len(pairs) > MOST_PARAMETERS:
        raise InvalidRequest(f"more than {MOST_PARAMETERS} parameters")
    decoded: list[tuple[str, str]] = []
    for pair in pairs:
        name, _, value = pair.partition("=")
        # "Parameters sent without a value MUST be treated as if they were omitted from the request" (§3.1, §3.2).
        if value:
            decoded.append((_decode(name), _decode(value)))
    return _collect(decoded)


def format_parameters(parameters: Parameters, **changed: str) -> str:
    """Return parameters as a query, with some of them set anew."""
    single = {name: value for name, value in parameters.items() if name not in MAY_REPEAT and name not in changed}
    repeated = [(name, value) for name in sorted(MAY_REPEAT) for value in parameters.every(name)]
    return urlencode([*single.items(), *repeated, *changed.items()])


def _decode(text: str) -> str:
    plain = text.replace("+", " ")
    if "%" not in plain and plain.isascii():
        return _without_nulls(plain)
    try:
        return _without_nulls(unquote_to_bytes(plain).decode("utf-8"))
    except UnicodeDecodeError:
        raise InvalidRequest("a parameter is not UTF-8") from None


def _without_nulls(text: str) -> str:
    if "\x00" in text:
        raise InvalidRequest("a parameter holds a null character")
    return text


def _collect(pairs: Iterable[tuple[str, str]]) -> Parameters:
    single: dict[str, str] = {}
    repeated: dict[str, tuple[str, ...]] = {}
    for name, value in pairs:
        if name in MAY_REPEAT:
            repeated[name] = (*repeated.get(name, ()), value)
        # "Request and response parameters MUST NOT be included more than once" (§3.1, §3.2).
        elif name in single:
            raise InvalidRequest(f"the parameter {name[:40]} is sent more than once")
        single[name] = value
    return Parameters(single, repeated)


def _from_json(body: bytes) -> Parameters:
    def members(pairs: list[tuple[str, object]]) -> Parameters:
        texts = [(name, value) for name, value in pairs if isinstance(value, str) and value]
        if len(texts) != sum(value not in ("", None) for _, value in pairs):
            raise InvalidRequest("the body is JSON; send a form")
        return _collect((printable(name), printable(value)) for name, value in texts)

    try:
        parsed = json.loads(body, object_pairs_hook=members)
    except (ValueError, RecursionError):
        parsed = None
    if not isinstance(parsed, Parameters):
        raise InvalidRequest(f"the body is neither {FORM} nor a flat JSON object")
    return parsed


def printable(text: str) -> str:
    """Return a text that came as JSON, if it can be a parameter.

    Raises:
        InvalidRequest: it cannot.
    """
    # Half a surrogate pair can be written in JSON, and encoded in nothing.
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InvalidRequest("a parameter is not Unicode text") from None
    return _without_nulls(text)
