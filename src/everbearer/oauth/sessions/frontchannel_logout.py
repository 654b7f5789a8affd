"""Front-channel logout (OpenID Connect Front-Channel Logout 1.0): what a client's frame loads in a browser."""

from __future__ import annotations

from everbearer.oauth.authorization_server import AuthorizationServer
from everbearer.oauth.client import Client
from everbearer.oauth.uris import with_query
from everbearer.oauth.users.sid import sid_for


def frontchannel_logout_frame(client: Client, session_id: str, server: AuthorizationServer) -> str:
    """Return what to load in a frame so that a client learns of the end of a session; empty where it wants nothing.

    "The OP MAY add these query parameters when rendering the logout URI, and if either is included, both MUST be" (§2,
    of `iss` and `sid`).
    """
    uri = client.frontchannel_logout_uri
    if not uri or not client.frontchannel_logout_session_required:
        return uri
    return with_query(uri, {"iss": server.issuer, "sid": sid_for(client.client_id, session_id)})
