"""What a resource server publishes of itself (RFC 9728), so that clients find out by themselves where to get tokens."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from everbearer.oauth.messages import Response, json_response

WELL_KNOWN = "/.well-known/oauth-protected-resource"
_EVERY_ORIGIN = ("Access-Control-Allow-Origin", "*")
"""It says nothing that is not for everybody."""
_ALLOWED = "GET, HEAD, OPTIONS"


def metadata_path(resource: str) -> str:
    """Return the path at which a resource's metadata stands on its host (RFC 9728 §3.1)."""
    # "any terminating slash (/) following the host component MUST be removed before inserting /.well-known/ and the
    # well-known URI path suffix between the host component and the path and/or query components" (§3.1).
    path = urlsplit(resource).path
    return WELL_KNOWN + ("" if path == "/" else path)


def metadata_url(resource: str) -> str:
    """Return the URL of a resource's metadata."""
    parts = urlsplit(resource)
    return f"{parts.scheme}://{parts.netloc}{metadata_path(resource)}"


def document(
    *, resource: str, issuer: str, scopes: tuple[str, ...], more: Mapping[str, object]
) -> Mapping[str, object]:
    """Return the metadata document (RFC 9728 §2)."""
    return {
        "resource": resource,
        "authorization_servers": [issuer],
        **({"scopes_supported": list(scopes)} if scopes else {}),
        "bearer_methods_supported": ["header"],
        **more,
    }


def metadata_response(members: Mapping[str, object], method: str) -> Response:
    """Return the answer to a request for the metadata (RFC 9728 §3.2)."""
    if method in {"GET", "HEAD"}:
        return json_response(members, headers=(("Cache-Control", "public, max-age=300"), _EVERY_ORIGIN))
    if method == "OPTIONS":
        # Clients in browsers send headers of their own along, which must be allowed first.
        allowed = (("Access-Control-Allow-Methods", "GET"), ("Access-Control-Allow-Headers", "*"))
        return Response(status=204, headers=(("Allow", _ALLOWED), _EVERY_ORIGIN, *allowed))
    return Response(status=405, headers=(("Allow", _ALLOWED), _EVERY_ORIGIN))
