"""The server's metadata (OpenID Connect Discovery 1.0 §3, RFC 8414 §2), and where it is published."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from everbearer.oauth.authorization.request import PROMPTS
from everbearer.oauth.authorization.request_objects import UNSIGNED
from everbearer.oauth.authorization.response_modes import ResponseMode
from everbearer.oauth.authorization_server import AuthorizationServer, LogoutNotice
from everbearer.oauth.client import AUTHORIZATION_CODE, DEVICE_CODE, IMPLICIT, AuthMethod, SubjectType
from everbearer.oauth.clients.assertions import SECRET_ALGORITHM
from everbearer.oauth.crypto.client_keys import ED25519
from everbearer.oauth.crypto.jwe import CONTENT_ENCRYPTION, KEY_ENCRYPTION
from everbearer.oauth.crypto.keys import ALGORITHMS
from everbearer.oauth.paths import CHECK_SESSION_IFRAME
from everbearer.oauth.paths import PATHS as PATHS
from everbearer.oauth.response_types import gives_to_browser

OPENID_CONFIGURATION = "/.well-known/openid-configuration"
OAUTH_AUTHORIZATION_SERVER = "/.well-known/oauth-authorization-server"

_ALWAYS_THERE = ("sub", "iss", "aud", "exp", "iat", "auth_time", "acr", "amr", "sid", "nonce")


def metadata(server: AuthorizationServer) -> dict[str, object]:
    """Return the metadata document: the same for OpenID Connect Discovery and RFC 8414."""
    algs = [alg for alg in ALGORITHMS if alg in server.keys().signing]
    implicit = [IMPLICIT] if any(map(gives_to_browser, server.profile.response_types)) else []
    methods = [method for method in AuthMethod if method is not AuthMethod.NONE]
    # "Servers SHOULD support RS256. The value none MUST NOT be used" (RFC 8414 §2).
    assertion_algs = [*ALGORITHMS, ED25519, SECRET_ALGORITHM]
    unsigned = [UNSIGNED] if server.profile.unsigned_request_objects else []
    absent = frozenset(_absent(server))
    return {
        "issuer": server.issuer,
        **{name: server.base + path for name, path in PATHS.items() if name not in absent},
        "scopes_supported": list(server.scopes),
        "claims_supported": list(dict.fromkeys([*_ALWAYS_THERE, *_claims(server)])),
        "response_types_supported": list(server.profile.response_types),
        "response_modes_supported": list(ResponseMode),
        "grant_types_supported": sorted({*server.grant_types, *implicit}),
        "subject_types_supported": list(SubjectType) if server.pairwise_salt() else [SubjectType.PUBLIC],
        **_response_algs(algs),
        "token_endpoint_auth_methods_supported": [*methods, AuthMethod.NONE],
        "token_endpoint_auth_signing_alg_values_supported": assertion_algs,
        "revocation_endpoint_auth_methods_supported": [*methods, AuthMethod.NONE],
        "revocation_endpoint_auth_signing_alg_values_supported": assertion_algs,
        "introspection_endpoint_auth_methods_supported": methods,
        "introspection_endpoint_auth_signing_alg_values_supported": assertion_algs,
        "code_challenge_methods_supported": ["S256"],
        "prompt_values_supported": sorted(PROMPTS),
        "authorization_response_iss_parameter_supported": True,
        "claims_parameter_supported": True,
        "claim_types_supported": ["normal"],
        # The pages are right in a page and in a popup, and for fingers; in English whatever `ui_locales` says.
        "display_values_supported": ["page", "popup", "touch"],
        "ui_locales_supported": ["en"],
        **_resources(server),
        **_logout(server),
        **({"acr_values_supported": list(server.acr_values)} if server.acr_values else {}),
        "request_parameter_supported": True,
        "request_object_signing_alg_values_supported": [*assertion_algs, *unsigned],
        "request_uri_parameter_supported": server.profile.request_uris,
        "require_request_uri_registration": True,
    }


def _resources(server: AuthorizationServer) -> dict[str, list[str]]:
    # "Authorization servers MAY choose not to advertise some supported protected resources even when this parameter is
    # used" (RFC 9728 §4): those that are for some clients only are theirs to know.
    open_to_all = [resource.resource for resource in server.resources.values() if resource.any_client]
    return {"protected_resources": open_to_all} if open_to_all else {}


def _claims(server: AuthorizationServer) -> Iterator[str]:
    for names in server.claims_of_scope.values():
        yield from names


def _logout(server: AuthorizationServer) -> dict[str, object]:
    """Return how clients learn of a logout (Back-Channel and Front-Channel Logout 1.0, Session Management 1.0 §3.3)."""
    found: dict[str, object] = {}
    for channel in (LogoutNotice.BACK_CHANNEL, LogoutNotice.FRONT_CHANNEL):
        if channel in server.logout_notices:
            found |= {f"{channel}_logout_supported": True, f"{channel}_logout_session_supported": True}
    if LogoutNotice.SESSION_MANAGEMENT in server.logout_notices:
        found["check_session_iframe"] = server.base + CHECK_SESSION_IFRAME
    return found


def _response_algs(signing: list[str]) -> dict[str, list[str]]:
    """Return how answers can be signed and encrypted (OpenID Connect Discovery §3, RFC 9701 §7)."""
    return {
        f"{answer}_{how}_values_supported": list(values)
        for answer in ("id_token", "userinfo", "introspection")
        for how, values in (
            ("signing_alg", signing),
            ("encryption_alg", KEY_ENCRYPTION),
            ("encryption_enc", CONTENT_ENCRYPTION),
        )
    }


def _absent(server: AuthorizationServer) -> Iterator[str]:
    """Yield the endpoints that are not there."""
    if not server.registration:
        yield "registration_endpoint"
    if DEVICE_CODE not in server.grant_types:
        yield "device_authorization_endpoint"
    if not server.end_session:
        yield "end_session_endpoint"
    # "This is REQUIRED unless no grant types are supported that use the authorization endpoint" (RFC 8414 §2).
    if AUTHORIZATION_CODE not in server.grants and not any(map(gives_to_browser, server.profile.response_types)):
        yield "authorization_endpoint"


def metadata_paths(issuer: str) -> tuple[str, ...]:
    """Return every path of the issuer's host at which clients look for the document.

    OpenID Connect appends its well-known path to the issuer (Discovery §4); RFC 8414 §3.1 inserts one before the
    issuer's path, and clients in the field mix the two.
    """
    path = urlsplit(issuer).path.rstrip("/")
    appended = [path + OPENID_CONFIGURATION, path + OAUTH_AUTHORIZATION_SERVER]
    inserted = [OPENID_CONFIGURATION + path, OAUTH_AUTHORIZATION_SERVER + path]
    return tuple(dict.fromkeys([*appended, *inserted]))
