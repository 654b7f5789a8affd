"""What a client sends to register or change itself: one JSON object (RFC 7591 §3.1, RFC 7592 §2.2)."""

from __future__ import annotations

import json
from collections.abc import Mapping

from everbearer.oauth.errors import InvalidClientMetadata
from everbearer.oauth.messages import Request

JSON = "application/json"
MOST_MEMBERS = 200


def read_members(request: Request) -> Mapping[str, object]:
    """Return the members of the JSON object in the body of a request.

    Raises:
        InvalidClientMetadata: there is none, or it is malformed.
    """
    # "The client registration endpoint MUST accept HTTP POST messages with request parameters encoded in the entity
    # body using the "application/json" format" (RFC 7591 §3).
    if request.media_type != JSON:
        raise InvalidClientMetadata(f"send the metadata as {JSON}, not as {request.media_type or 'an unnamed type'}")
    try:
        members: object = json.loads(request.body.decode(), object_pairs_hook=_object, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise InvalidClientMetadata("the body is not JSON in UTF-8, or names a member twice") from None
    if not isinstance(members, _Object) or len(members) > MOST_MEMBERS:
        raise InvalidClientMetadata(f"the body must be a JSON object of at most {MOST_MEMBERS} members")
    return members


class _Object(dict[str, object]):
    """A JSON object that names no member twice."""


def _object(pairs: list[tuple[str, object]]) -> _Object:
    members = _Object(pairs)
    # Whoever reads another of the two than we do takes the client for another.
    if len(members) < len(pairs):
        raise ValueError("a member is named twice")
    return members


def _refuse(constant: str) -> object:
    raise ValueError(f"{constant} is not JSON")
