"""Everbearer: an OAuth 2.x authorization server and OpenID Connect provider whose sessions keep bearing.

These are the library's public names: enough to embed the protocol in an application. `docs/embedding.md` shows how.
The stores on a database are imported by themselves, for they need more installed: `everbearer.storage.sqlite`.
"""

from everbearer.http.asgi import asgi_application
from everbearer.http.authorization_route import SignIn, authorization_routes
from everbearer.http.cors import share
from everbearer.http.protocol_routes import client_routes, public_routes
from everbearer.http.routes import Routes, dispatch
from everbearer.http.wsgi import wsgi_application
from everbearer.oauth.authorization_endpoint import (
    AuthorizationRefused,
    complete_authorization,
    refuse_authorization,
    unmet,
    validate_authorization_request,
)
from everbearer.oauth.authorization_request import AuthorizationRequest
from everbearer.oauth.authorization_server import (
    CLAIMS_OF_SCOPE,
    STANDARD_SCOPES,
    AuthorizationServer,
    JwksSource,
    TokenRequest,
)
from everbearer.oauth.client import AccessTokenFormat, AuthMethod, Client, Lifetimes, RotationPolicy, SubjectType
from everbearer.oauth.client_assertions import seal_client_secret
from everbearer.oauth.client_authentication import hash_client_secret
from everbearer.oauth.client_rules import client_problems
from everbearer.oauth.end_session import EndSessionRequest, signed_out_redirect, validate_end_session_request
from everbearer.oauth.errors import (
    AccessDenied,
    ConsentRequired,
    InvalidGrant,
    InvalidRequest,
    InvalidScope,
    LoginRequired,
    OAuthError,
    StoreUnavailable,
)
from everbearer.oauth.events import Event, EventKind
from everbearer.oauth.explain import Explanation, explain_token
from everbearer.oauth.grants import GRANTS
from everbearer.oauth.introspection import introspection_endpoint
from everbearer.oauth.keys import (
    ALGORITHMS,
    KeySet,
    SigningKey,
    generate_signing_key,
    signing_key_from_jwk,
    signing_key_to_jwk,
)
from everbearer.oauth.messages import Endpoint, Request, Response, json_response, redirect
from everbearer.oauth.metadata import metadata
from everbearer.oauth.models import Authentication, Ended, EndReason, Everything, Grant, RequestedClaims
from everbearer.oauth.parameters import Parameters, parse, posted_parameters
from everbearer.oauth.revocation import revocation_endpoint
from everbearer.oauth.sealing import Sealer
from everbearer.oauth.store import Spend, Store
from everbearer.oauth.token_endpoint import token_endpoint
from everbearer.oauth.token_response import TokenResponse
from everbearer.oauth.userinfo import userinfo_endpoint
from everbearer.storage.memory import MemoryStore

__all__ = [
    "ALGORITHMS",
    "CLAIMS_OF_SCOPE",
    "GRANTS",
    "STANDARD_SCOPES",
    "AccessDenied",
    "AccessTokenFormat",
    "AuthMethod",
    "Authentication",
    "AuthorizationRefused",
    "AuthorizationRequest",
    "AuthorizationServer",
    "Client",
    "ConsentRequired",
    "EndReason",
    "EndSessionRequest",
    "Ended",
    "Endpoint",
    "Event",
    "EventKind",
    "Everything",
    "Explanation",
    "Grant",
    "InvalidGrant",
    "InvalidRequest",
    "InvalidScope",
    "JwksSource",
    "KeySet",
    "Lifetimes",
    "LoginRequired",
    "MemoryStore",
    "OAuthError",
    "Parameters",
    "Request",
    "RequestedClaims",
    "Response",
    "RotationPolicy",
    "Routes",
    "Sealer",
    "SignIn",
    "SigningKey",
    "Spend",
    "Store",
    "StoreUnavailable",
    "SubjectType",
    "TokenRequest",
    "TokenResponse",
    "asgi_application",
    "authorization_routes",
    "client_problems",
    "client_routes",
    "complete_authorization",
    "dispatch",
    "explain_token",
    "generate_signing_key",
    "hash_client_secret",
    "introspection_endpoint",
    "json_response",
    "metadata",
    "parse",
    "posted_parameters",
    "public_routes",
    "redirect",
    "refuse_authorization",
    "revocation_endpoint",
    "seal_client_secret",
    "share",
    "signed_out_redirect",
    "signing_key_from_jwk",
    "signing_key_to_jwk",
    "token_endpoint",
    "unmet",
    "userinfo_endpoint",
    "validate_authorization_request",
    "validate_end_session_request",
    "wsgi_application",
]
