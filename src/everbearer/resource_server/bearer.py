"""The bearer token of a request: from the `Authorization` header and from nowhere else (RFC 6750 §2.1)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import unquote_plus

from everbearer.resource_server.errors import InvalidRequest, InvalidToken, TokenRequired

LONGEST = 16 * 1024
"""Characters of an access token that are looked at."""

_B64TOKEN = re.compile(r"[A-Za-z0-9\-._~+/]+=*")


def bearer_token(authorization: Sequence[str], query: str = "") -> str:
    """Return the bearer token of a request with these `Authorization` headers and this query.

    Raises:
        TokenRequired: there is none.
        InvalidRequest: it is sent twice, or in the query.
        InvalidToken: it cannot be one.
    """
    # "Clients MUST NOT use more than one method to transmit the token in each request" (§2). In the query alone it is
    # refused as well: "Clients MUST NOT pass access tokens in a URI query parameter" (RFC 9700 §4.3.2).
    if query and any(unquote_plus(pair.partition("=")[0]) == "access_token" for pair in query.split("&")):
        raise InvalidRequest("send the access token in the Authorization header, not in the query")
    if len(authorization) > 1:
        raise InvalidRequest("the Authorization header is sent twice")
    scheme, _, credentials = authorization[0].strip().partition(" ") if authorization else ("", "", "")
    if scheme.lower() != "bearer":
        raise TokenRequired("an access token is required")
    # Some servers join what is sent twice. No token has a comma.
    if "," in credentials:
        raise InvalidRequest("the Authorization header is sent twice, or malformed")
    text = credentials.strip(" ")
    check_form(text)
    return text


def check_form(text: str) -> None:
    """Return if a text may be a bearer token at all.

    Raises:
        InvalidToken: it has characters that no token has, none at all, or too many.
    """
    if len(text) > LONGEST or not _B64TOKEN.fullmatch(text):
        raise InvalidToken("the access token is malformed")
