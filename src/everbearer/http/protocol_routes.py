"""The protocol's endpoints in the table of paths, for every application: the ready server's and your own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from everbearer.http.given import check
from everbearer.http.routes import Routes
from everbearer.oauth.authorization.device_authorization import device_authorization_endpoint
from everbearer.oauth.authorization_server import AuthorizationServer
from everbearer.oauth.client import DEVICE_CODE
from everbearer.oauth.crypto.keys import jwks_response
from everbearer.oauth.endpoints.introspection import introspection_endpoint
from everbearer.oauth.endpoints.metadata import PATHS, metadata, metadata_paths
from everbearer.oauth.endpoints.revocation import revocation_endpoint
from everbearer.oauth.endpoints.token import token_endpoint
from everbearer.oauth.endpoints.userinfo import userinfo_endpoint
from everbearer.oauth.messages import Endpoint, Request, Response, json_response
from everbearer.oauth.registration.endpoint import registration_endpoint
from everbearer.oauth.registration.management import client_configuration_endpoint
from everbearer.oauth.tokens.explanations import DESCRIPTIONS, explanation_uri

TOKEN_ALIAS = "/access_token"
"""Where clients written for the PHP League's server look for the token endpoint."""
USERINFO_ALIAS = "/oauth2/userInfo"
"""Where PHP clients of Authgear's look for userinfo."""
CACHED = (("Cache-Control", "public, max-age=300"),)


def base_path(server: AuthorizationServer) -> str:
    """Return the path below which the endpoints answer: empty or `/like-this`."""
    check(base_path, server=server)
    return urlsplit(server.base).path.rstrip("/")


def public_routes(server: AuthorizationServer) -> Routes:
    """Return the paths that every origin may read: the metadata and the keys."""
    base = base_path(server)

    async def document(request: Request) -> Response:  # noqa: ARG001 - an endpoint
        return json_response(metadata(server), headers=CACHED)

    async def jwks(request: Request) -> Response:
        return jwks_response(request, server.keys())

    return {
        **{path: {"GET": document} for path in metadata_paths(server.issuer)},
        base + PATHS["jwks_uri"]: {"GET": jwks},
    }


def root_routes(server: AuthorizationServer) -> Routes:
    """Return those of the public paths that are not below the endpoints.

    Where the endpoints are mounted below a path of another application, it must answer these at its root.
    """
    base = base_path(server)
    return {path: methods for path, methods in public_routes(server).items() if not path.startswith(f"{base}/")}


def explanation_routes(server: AuthorizationServer) -> Routes:
    """Return the paths that `error_uri` leads to, which tell in a sentence why a grant ended."""
    base = base_path(server)
    return {explanation_uri(base, reason): {"GET": _telling(words)} for reason, words in DESCRIPTIONS.items()}


def client_routes(server: AuthorizationServer) -> Routes:
    """Return the paths that clients call, also from scripts in browsers."""
    token = _bound(token_endpoint, server)
    userinfo = _bound(userinfo_endpoint, server)
    base = base_path(server)
    device = {base + PATHS["device_authorization_endpoint"]: {"POST": _bound(device_authorization_endpoint, server)}}
    return {
        base + PATHS["token_endpoint"]: {"POST": token},
        base + TOKEN_ALIAS: {"POST": token},
        base + PATHS["userinfo_endpoint"]: {"GET": userinfo, "POST": userinfo},
        base + USERINFO_ALIAS: {"GET": userinfo, "POST": userinfo},
        base + PATHS["revocation_endpoint"]: {"POST": _bound(revocation_endpoint, server)},
        base + PATHS["introspection_endpoint"]: {"POST": _bound(introspection_endpoint, server)},
        **(device if DEVICE_CODE in server.grant_types else {}),
    }


def registration_routes(server: AuthorizationServer) -> Routes:
    """Return the path where clients register, read, change and delete themselves; none where they do not.

    Scripts of every origin may call it: it goes by tokens alone, and who is not registered has no origin yet.
    """
    if server.registration is None:
        return {}
    manage = _bound(client_configuration_endpoint, server)
    path = base_path(server) + PATHS["registration_endpoint"]
    return {path: {"POST": _bound(registration_endpoint, server), "GET": manage, "PUT": manage, "DELETE": manage}}


def _telling(words: str) -> Endpoint:
    async def tell(request: Request) -> Response:  # noqa: ARG001 - an endpoint
        return Response(headers=(("Content-Type", "text/plain; charset=utf-8"), *CACHED), body=f"{words}\n".encode())

    return tell


def _bound(
    endpoint: Callable[[Request, AuthorizationServer], Awaitable[Response]], server: AuthorizationServer
) -> Endpoint:
    async def bound(request: Request) -> Response:
        return await endpoint(request, server)

    return bound
