"""Everbearer: an OAuth 2.x authorization server and OpenID Connect provider whose sessions keep bearing.

These are the library's public names: enough to embed the protocol in an application. `docs/embedding.md` shows how.
The stores on a database are imported by themselves, for they need more installed: `everbearer.storage.sqlite`.
"""

from everbearer.http.asgi import asgi_application
from everbearer.http.authorization_route import SignIn, authorization_routes
from everbearer.http.cors import share
from everbearer.http.protocol_routes import (
    client_routes,
    explanation_routes,
    public_routes,
    registration_routes,
    root_routes,
)
from everbearer.http.routes import Routes, below, dispatch
from everbearer.http.whole import all_routes, endpoint
from everbearer.http.wsgi import finish, request_from_environ, wsgi_application
from everbearer.login.models import SessionLifetimes
from everbearer.oauth import store_rules
from everbearer.oauth.authorization.device_authorization import (
    AskingDevice,
    complete_device_authorization,
    device_authorization_endpoint,
    find_device_authorization,
    refuse_device_authorization,
)
from everbearer.oauth.authorization.endpoint import (
    AuthorizationRefused,
    complete_authorization,
    refuse_authorization,
    resume_authorization_request,
    unmet,
    validate_authorization_request,
)
from everbearer.oauth.authorization.granting import grant_tokens, requested_scope
from everbearer.oauth.authorization.request import AuthorizationRequest
from everbearer.oauth.authorization.response_modes import ResponseMode
from everbearer.oauth.authorization_server import (
    CLAIMS_OF_SCOPE,
    STANDARD_SCOPES,
    AuthorizationServer,
    JwksSource,
    LogoutNotice,
    RequestObjectSource,
    TokenRequest,
)
from everbearer.oauth.client import (
    JWT_BEARER,
    PASSWORD,
    TOKEN_EXCHANGE,
    AccessTokenFormat,
    AuthMethod,
    Client,
    Lifetimes,
    RotationPolicy,
    SelfRegistration,
    SubjectType,
    TokenExchangePolicy,
)
from everbearer.oauth.client_registration import ClientRegistration, Registered, RegistrationStore, StatementIssuer
from everbearer.oauth.client_rules.client import client_problems
from everbearer.oauth.clients.assertions import seal_client_secret
from everbearer.oauth.clients.authentication import hash_client_secret
from everbearer.oauth.composed_store import ComposedStore
from everbearer.oauth.crypto.keys import (
    ALGORITHMS,
    KeySet,
    SigningKey,
    generate_signing_key,
    key_set,
    signing_key_from_jwk,
    signing_key_from_pem,
    signing_key_to_jwk,
)
from everbearer.oauth.crypto.sealing import Sealer
from everbearer.oauth.endpoints.introspection import introspection_endpoint
from everbearer.oauth.endpoints.metadata import metadata
from everbearer.oauth.endpoints.own_resources import Bearer, check_bearer
from everbearer.oauth.endpoints.revocation import revocation_endpoint
from everbearer.oauth.endpoints.token import token_endpoint
from everbearer.oauth.endpoints.userinfo import userinfo_endpoint
from everbearer.oauth.errors import (
    AccessDenied,
    AccountSelectionRequired,
    AuthorizationPending,
    ConsentRequired,
    ExpiredToken,
    InsufficientScope,
    InteractionRequired,
    InvalidClient,
    InvalidClientMetadata,
    InvalidGrant,
    InvalidRedirectUri,
    InvalidRequest,
    InvalidRequestObject,
    InvalidRequestUri,
    InvalidScope,
    InvalidSoftwareStatement,
    InvalidTarget,
    InvalidToken,
    LoginRequired,
    OAuthError,
    RegistrationNotSupported,
    RequestNotSupported,
    RequestUriNotSupported,
    ServerError,
    SlowDown,
    StoreUnavailable,
    TemporarilyUnavailable,
    TooManyRequests,
    UnapprovedSoftwareStatement,
    UnauthorizedClient,
    UnmetAuthenticationRequirements,
    UnsupportedGrantType,
    UnsupportedResponseType,
    UnsupportedTokenType,
)
from everbearer.oauth.events import EVERY_KIND, Event, EventKind
from everbearer.oauth.grants import GRANTS, GrantFunction
from everbearer.oauth.grants.jwt_bearer import jwt_bearer_grant
from everbearer.oauth.grants.password import password_grant
from everbearer.oauth.grants.token_exchange import Exchange, declared_policy, token_exchange_by
from everbearer.oauth.initial_access_tokens import InitialAccessToken
from everbearer.oauth.issuance_hooks import Issuance, IssuanceHooks
from everbearer.oauth.messages import Endpoint, Request, Response, json_response, redirect
from everbearer.oauth.models import (
    Authentication,
    CodeBinding,
    DeviceAuthorization,
    DeviceDecision,
    Ended,
    EndReason,
    Everything,
    Grant,
    HistoryEntry,
    RequestedClaims,
)
from everbearer.oauth.parameters import Parameters, parse, posted_parameters
from everbearer.oauth.profile import OPENID_CERTIFICATION, STRICT, Profile
from everbearer.oauth.resource import Resource, Target
from everbearer.oauth.sessions.backchannel_logout import Logout, mint_logout_token
from everbearer.oauth.sessions.end_session import EndSessionRequest, signed_out_redirect, validate_end_session_request
from everbearer.oauth.sessions.frontchannel_logout import frontchannel_logout_frame
from everbearer.oauth.sessions.session_state import check_session_frame
from everbearer.oauth.store import ClientStore, DeviceStore, GrantStore, Spend, Store
from everbearer.oauth.token_response import TokenResponse
from everbearer.oauth.tokens.access_tokens import AccessToken
from everbearer.oauth.tokens.explain import Explanation, explain_token
from everbearer.oauth.tokens.id_tokens import Hint
from everbearer.oauth.trusted_issuers import Asserted, SubjectIs, TrustedIssuer
from everbearer.oauth.users.subjects import NamedSubject
from everbearer.storage.json_values import from_json, to_json
from everbearer.storage.memory import MemoryStore
from everbearer.storage.origins import web_origins
from everbearer.storage.secret_files import load_secrets, load_signing_key

__all__ = [
    "ALGORITHMS",
    "CLAIMS_OF_SCOPE",
    "EVERY_KIND",
    "GRANTS",
    "JWT_BEARER",
    "OPENID_CERTIFICATION",
    "PASSWORD",
    "STANDARD_SCOPES",
    "STRICT",
    "TOKEN_EXCHANGE",
    "AccessDenied",
    "AccessToken",
    "AccessTokenFormat",
    "AccountSelectionRequired",
    "AskingDevice",
    "Asserted",
    "AuthMethod",
    "Authentication",
    "AuthorizationPending",
    "AuthorizationRefused",
    "AuthorizationRequest",
    "AuthorizationServer",
    "Bearer",
    "Client",
    "ClientRegistration",
    "ClientStore",
    "CodeBinding",
    "ComposedStore",
    "ConsentRequired",
    "DeviceAuthorization",
    "DeviceDecision",
    "DeviceStore",
    "EndReason",
    "EndSessionRequest",
    "Ended",
    "Endpoint",
    "Event",
    "EventKind",
    "Everything",
    "Exchange",
    "ExpiredToken",
    "Explanation",
    "Grant",
    "GrantFunction",
    "GrantStore",
    "Hint",
    "HistoryEntry",
    "InitialAccessToken",
    "InsufficientScope",
    "InteractionRequired",
    "InvalidClient",
    "InvalidClientMetadata",
    "InvalidGrant",
    "InvalidRedirectUri",
    "InvalidRequest",
    "InvalidRequestObject",
    "InvalidRequestUri",
    "InvalidScope",
    "InvalidSoftwareStatement",
    "InvalidTarget",
    "InvalidToken",
    "Issuance",
    "IssuanceHooks",
    "JwksSource",
    "KeySet",
    "Lifetimes",
    "LoginRequired",
    "Logout",
    "LogoutNotice",
    "MemoryStore",
    "NamedSubject",
    "OAuthError",
    "Parameters",
    "Profile",
    "Registered",
    "RegistrationNotSupported",
    "RegistrationStore",
    "Request",
    "RequestNotSupported",
    "RequestObjectSource",
    "RequestUriNotSupported",
    "RequestedClaims",
    "Resource",
    "Response",
    "ResponseMode",
    "RotationPolicy",
    "Routes",
    "Sealer",
    "SelfRegistration",
    "ServerError",
    "SessionLifetimes",
    "SignIn",
    "SigningKey",
    "SlowDown",
    "Spend",
    "StatementIssuer",
    "Store",
    "StoreUnavailable",
    "SubjectIs",
    "SubjectType",
    "Target",
    "TemporarilyUnavailable",
    "TokenExchangePolicy",
    "TokenRequest",
    "TokenResponse",
    "TooManyRequests",
    "TrustedIssuer",
    "UnapprovedSoftwareStatement",
    "UnauthorizedClient",
    "UnmetAuthenticationRequirements",
    "UnsupportedGrantType",
    "UnsupportedResponseType",
    "UnsupportedTokenType",
    "all_routes",
    "asgi_application",
    "authorization_routes",
    "below",
    "check_bearer",
    "check_session_frame",
    "client_problems",
    "client_routes",
    "complete_authorization",
    "complete_device_authorization",
    "declared_policy",
    "device_authorization_endpoint",
    "dispatch",
    "endpoint",
    "explain_token",
    "explanation_routes",
    "find_device_authorization",
    "finish",
    "from_json",
    "frontchannel_logout_frame",
    "generate_signing_key",
    "grant_tokens",
    "hash_client_secret",
    "introspection_endpoint",
    "json_response",
    "jwt_bearer_grant",
    "key_set",
    "load_secrets",
    "load_signing_key",
    "metadata",
    "mint_logout_token",
    "parse",
    "password_grant",
    "posted_parameters",
    "public_routes",
    "redirect",
    "refuse_authorization",
    "refuse_device_authorization",
    "registration_routes",
    "request_from_environ",
    "requested_scope",
    "resume_authorization_request",
    "revocation_endpoint",
    "root_routes",
    "seal_client_secret",
    "share",
    "signed_out_redirect",
    "signing_key_from_jwk",
    "signing_key_from_pem",
    "signing_key_to_jwk",
    "store_rules",
    "to_json",
    "token_endpoint",
    "token_exchange_by",
    "unmet",
    "userinfo_endpoint",
    "validate_authorization_request",
    "validate_end_session_request",
    "web_origins",
    "wsgi_application",
]
