"""Response types: what an authorization response gives (OAuth 2.0 Multiple Response Type Encoding Practices §3 to §5).

`token` alone is not among them: "OpenID Connect does not use this Response Type, since no ID Token would be returned"
(OpenID Connect Core §3), and nothing else should (RFC 9700 §2.1.2).
"""

from __future__ import annotations

CODE = "code"
TOKEN = "token"
ID_TOKEN = "id_token"
NONE = "none"
"""Nothing is issued; the browser only comes back signed in (§4)."""

STRICT_RESPONSE_TYPES = (CODE, NONE)
IMPLICIT_RESPONSE_TYPES = ("id_token", "id_token token")
HYBRID_RESPONSE_TYPES = ("code id_token", "code token", "code id_token token")
RESPONSE_TYPES = (*STRICT_RESPONSE_TYPES, *IMPLICIT_RESPONSE_TYPES, *HYBRID_RESPONSE_TYPES)
"""All there are, their values in the order in which specifications write them."""


def normal_response_type(text: str) -> str:
    """Return a response type with its values in that order: "the order of values does not matter" (RFC 6749 §3.1.1)."""
    return " ".join(sorted(text.split()))


def gives(response_type: str, value: str) -> bool:
    """Return whether the answer to a response type holds a value, such as `code`."""
    return value in response_type.split()


def gives_to_browser(response_type: str) -> bool:
    """Return whether the answer holds a token, which must never stand in a query."""
    return gives(response_type, TOKEN) or gives(response_type, ID_TOKEN)
