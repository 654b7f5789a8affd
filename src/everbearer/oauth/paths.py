"""Where the endpoints are, by their names in the metadata (RFC 8414 §2): paths below the issuer."""

from __future__ import annotations

from collections.abc import Mapping

PATHS: Mapping[str, str] = {
    "authorization_endpoint": "/oauth2/authorize",
    "token_endpoint": "/oauth2/token",
    "userinfo_endpoint": "/oauth2/userinfo",
    "jwks_uri": "/oauth2/jwks",
    "revocation_endpoint": "/oauth2/revoke",
    "introspection_endpoint": "/oauth2/introspect",
    "device_authorization_endpoint": "/oauth2/device_authorization",
    "end_session_endpoint": "/oauth2/end_session",
    "registration_endpoint": "/oauth2/register",
}

CHECK_SESSION_IFRAME = "/oauth2/check_session"
"""Where `check_session_iframe` is, where there is one (Session Management 1.0 §3.3)."""
