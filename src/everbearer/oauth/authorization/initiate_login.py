"""Login initiated by somebody else than the client (OpenID Connect Core §4): where to send a browser."""

from __future__ import annotations

from urllib.parse import urlencode, urlsplit

from everbearer.oauth.client import Client


def login_initiation(client: Client, issuer: str, *, login_hint: str = "") -> str:
    """Return where a browser is sent to be signed in by a client at this issuer; empty where it has no such place.

    There is no `target_link_uri`: whoever opens an application from here has no page of it in mind.
    """
    if not client.initiate_login_uri:
        return ""
    # "iss REQUIRED. Issuer Identifier for the OP that the RP is to send the Authentication Request to" (§4).
    hint = {"login_hint": login_hint} if login_hint else {}
    parts = urlsplit(client.initiate_login_uri)
    query = "&".join(filter(None, (parts.query, urlencode({"iss": issuer, **hint}))))
    return parts._replace(query=query).geturl()
