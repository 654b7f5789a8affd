"""Profiles: what a server offers to whoever asks, beside the strictest that can be.

The settings of a single client, which its operator made, may go further than the profile.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from everbearer.oauth.arguments import check_fields
from everbearer.oauth.response_types import RESPONSE_TYPES, STRICT_RESPONSE_TYPES


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What clients may have without a setting of their own."""

    response_types: tuple[str, ...] = STRICT_RESPONSE_TYPES
    """What the metadata announces, and a client may register."""
    unbound_codes: bool = False
    """Confidential clients may ask for a code with neither PKCE nor a nonce."""
    unsigned_request_objects: bool = False
    """Request objects may have the algorithm `none`."""
    request_uris: bool = False
    """Clients may register URIs of request objects, which the server fetches."""

    def __post_init__(self) -> None:
        check_fields(self)


STRICT = Profile()
"""What RFC 9700 advises, and the default."""
OPENID_CERTIFICATION = Profile(
    response_types=RESPONSE_TYPES, unbound_codes=True, unsigned_request_objects=True, request_uris=True
)
"""What the OpenID Foundation's certification plans need."""

PROFILES: Mapping[str, Profile] = {"strict": STRICT, "openid-certification": OPENID_CERTIFICATION}
"""The profiles by the names that operators know them by."""
