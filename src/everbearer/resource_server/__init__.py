"""The resource server side: whether the access token of a request is good, and what it says.

These are the public names, with those of the adapters: `everbearer.resource_server.asgi`, `.wsgi`, `.starlette`,
`.fastapi`, `.django`, `.flask` and `.litestar`, each of which imports its framework. `docs/resource-server.md` shows
how they are used.
"""

from everbearer.resource_server.access_token import AccessToken
from everbearer.resource_server.bearer import bearer_token
from everbearer.resource_server.client_assertion import private_key_jwt
from everbearer.resource_server.errors import (
    InsufficientScope,
    InsufficientUserAuthentication,
    InvalidRequest,
    InvalidToken,
    OAuthError,
    TemporarilyUnavailable,
    TokenRequired,
)
from everbearer.resource_server.fetching import AsyncFetch, BlockingFetch, Fetch, Fetched
from everbearer.resource_server.introspection import Introspection
from everbearer.resource_server.requirement import Requirement, requirement
from everbearer.resource_server.resource_server import ResourceServer
from everbearer.resource_server.standard_fetch import StandardFetch

__all__ = [
    "AccessToken",
    "AsyncFetch",
    "BlockingFetch",
    "Fetch",
    "Fetched",
    "InsufficientScope",
    "InsufficientUserAuthentication",
    "Introspection",
    "InvalidRequest",
    "InvalidToken",
    "OAuthError",
    "Requirement",
    "ResourceServer",
    "StandardFetch",
    "TemporarilyUnavailable",
    "TokenRequired",
    "bearer_token",
    "private_key_jwt",
    "requirement",
]
