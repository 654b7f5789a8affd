"""The errors of the protocol, one class an OAuth error code (RFC 6749 §4.1.2.1 and §5.2, RFC 6750 §3.1, RFC 8707 §2).

An error has two audiences. `description` goes to the client: it tells a developer what to change and a thief nothing.
`reason` goes to the audit trail and the log, never to the wire. Neither may hold a token, a code or a secret.
"""

from __future__ import annotations

from typing import ClassVar


class OAuthError(Exception):
    """Refuse a request. Raised anywhere below an endpoint, rendered once by it.

    Attributes:
        error: the code on the wire, the RFC's word.
        status: the HTTP status where the error is rendered as JSON.
        description: for the client's developer (`error_description`).
        reason: for the operator.
        retry_after: seconds until a new try makes sense, 0 where that is not known.

    """

    error: ClassVar[str] = "server_error"
    status: ClassVar[int] = 400

    def __init__(self, description: str, *, reason: str = "", retry_after: int = 0, error_uri: str = "") -> None:
        super().__init__(description)
        self.description = description
        self.reason = reason
        self.retry_after = retry_after
        self.error_uri = error_uri


class InvalidRequest(OAuthError):
    """The request misses a parameter, repeats one or is malformed (RFC 6749 §5.2)."""

    error = "invalid_request"


class InvalidClient(OAuthError):
    """Client authentication failed (RFC 6749 §5.2).

    Attributes:
        basic: the client tried HTTP Basic, so the answer must carry a matching `WWW-Authenticate`.

    """

    error = "invalid_client"
    status = 401

    def __init__(self, description: str, *, reason: str = "", basic: bool = False) -> None:
        super().__init__(description, reason=reason)
        self.basic = basic


class InvalidGrant(OAuthError):
    """The code or refresh token is not valid, not this client's, or its grant has ended (RFC 6749 §5.2).

    Attributes:
        grant_id: the grant it stands for, empty where that is not known; for the operator.

    """

    error = "invalid_grant"

    def __init__(self, description: str, *, reason: str = "", error_uri: str = "", grant_id: str = "") -> None:
        super().__init__(description, reason=reason, error_uri=error_uri)
        self.grant_id = grant_id


class UnauthorizedClient(OAuthError):
    """The authenticated client may not use this grant or response type (RFC 6749 §5.2)."""

    error = "unauthorized_client"


class UnsupportedGrantType(OAuthError):
    """The server does not offer this grant type (RFC 6749 §5.2)."""

    error = "unsupported_grant_type"


class UnsupportedResponseType(OAuthError):
    """The server does not offer this response type (RFC 6749 §4.1.2.1)."""

    error = "unsupported_response_type"


class InvalidScope(OAuthError):
    """The scope is unknown, malformed or more than may be granted (RFC 6749 §5.2)."""

    error = "invalid_scope"


class InvalidClientMetadata(OAuthError):
    """What is registered of a client does not do, such as keys of which none fits (RFC 7591 §3.2.2)."""

    error = "invalid_client_metadata"


class InvalidTarget(OAuthError):
    """The requested resource is not one this grant reaches (RFC 8707 §2)."""

    error = "invalid_target"


class AccessDenied(OAuthError):
    """The user or the server denied the request (RFC 6749 §4.1.2.1)."""

    error = "access_denied"


class LoginRequired(OAuthError):
    """`prompt=none`, and the user must sign in (OpenID Connect Core §3.1.2.6)."""

    error = "login_required"


class ConsentRequired(OAuthError):
    """`prompt=none`, and the user must consent (OpenID Connect Core §3.1.2.6)."""

    error = "consent_required"


class UnmetAuthenticationRequirements(OAuthError):
    """No sign-in can be what the request requires (OpenID Connect Core Unmet Authentication Requirements 1.0)."""

    error = "unmet_authentication_requirements"


class RequestNotSupported(OAuthError):
    """Request objects by value are not offered (OpenID Connect Core §3.1.2.6)."""

    error = "request_not_supported"


class RequestUriNotSupported(OAuthError):
    """Request objects by reference are not offered (OpenID Connect Core §3.1.2.6)."""

    error = "request_uri_not_supported"


class RegistrationNotSupported(OAuthError):
    """The `registration` parameter is not offered (OpenID Connect Core §3.1.2.6)."""

    error = "registration_not_supported"


class InvalidToken(OAuthError):
    """The bearer token is not valid here (RFC 6750 §3.1)."""

    error = "invalid_token"
    status = 401


class InsufficientScope(OAuthError):
    """The bearer token reaches less than this resource needs (RFC 6750 §3.1)."""

    error = "insufficient_scope"
    status = 403


class UnsupportedTokenType(OAuthError):
    """The server cannot revoke tokens of this type (RFC 7009 §2.2.1)."""

    error = "unsupported_token_type"


class TemporarilyUnavailable(OAuthError):
    """The server is in trouble that will pass; what the client holds is still good (RFC 6749 §4.1.2.1)."""

    error = "temporarily_unavailable"
    status = 503


class TooManyRequests(OAuthError):
    """The caller must slow down (RFC 6585 §4)."""

    error = "temporarily_unavailable"
    status = 429


class StoreUnavailable(Exception):
    """The store cannot answer now: down, locked, read-only, full. Endpoints answer 503, never `invalid_grant`."""
