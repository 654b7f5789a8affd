"""The errors of the protocol, one class an OAuth error code (RFC 6749 §5.2, RFC 6750 §3.1, RFC 8628 §3.5, and others).

An error has two audiences. `description` goes to the client: it tells a developer what to change and a thief nothing.
`reason` goes to the audit trail and the log, never to the wire. Neither may hold a token, a code or a secret.

Each renders its own response: JSON with a status, never to be stored.
"""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from everbearer.oauth.messages import NO_STORE, Headers, Response, json_response


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

    def response(self) -> Response:
        """Return the response that tells of it where no redirect does (RFC 6749 §5.2)."""
        headers = (*NO_STORE, *self.headers())
        return replace(json_response(self.members(), status=self.status, headers=headers), error=self.error)

    def members(self) -> dict[str, str]:
        """Return its members as they stand on the wire, in JSON or in a redirect."""
        members = {"error": self.error, "error_description": _allowed(self.description)}
        return {**members, "error_uri": self.error_uri} if self.error_uri else members

    def headers(self) -> Headers:
        """Return the headers that its response has beyond those of every error."""
        return (("Retry-After", str(self.retry_after)),) if self.retry_after else ()


def _allowed(text: str) -> str:
    # "Values for the "error_description" parameter MUST NOT include characters outside the set
    # %x20-21 / %x23-5B / %x5D-7E" (RFC 6749 §5.2).
    return "".join(c if " " <= c <= "~" and c not in '"\\' else "?" for c in text)


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

    def headers(self) -> Headers:
        """Return the challenge, where HTTP Basic was tried."""
        # "If the client attempted to authenticate via the "Authorization" request header field, the authorization
        # server MUST respond with an HTTP 401 (Unauthorized) status code and include the "WWW-Authenticate" response
        # header field matching the authentication scheme used by the client" (RFC 6749 §5.2).
        challenge = (("WWW-Authenticate", 'Basic realm="token endpoint", charset="UTF-8"'),)
        return (*super().headers(), *(challenge if self.basic else ()))


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


class InvalidTarget(OAuthError):
    """The requested resource is not one this grant reaches (RFC 8707 §2)."""

    error = "invalid_target"


class AccessDenied(OAuthError):
    """The user or the server denied the request (RFC 6749 §4.1.2.1)."""

    error = "access_denied"


class AuthorizationPending(OAuthError):
    """The user of the device has not decided yet; it is to poll again (RFC 8628 §3.5)."""

    error = "authorization_pending"


class SlowDown(OAuthError):
    """The same, and the device is to wait five seconds longer from now on (RFC 8628 §3.5)."""

    error = "slow_down"


class ExpiredToken(OAuthError):
    """The device code has expired (RFC 8628 §3.5)."""

    error = "expired_token"


class LoginRequired(OAuthError):
    """`prompt=none`, and the user must sign in (OpenID Connect Core §3.1.2.6)."""

    error = "login_required"


class ConsentRequired(OAuthError):
    """`prompt=none`, and the user must consent (OpenID Connect Core §3.1.2.6)."""

    error = "consent_required"


class AccountSelectionRequired(OAuthError):
    """`prompt=none`, and the user must say which account it is (OpenID Connect Core §3.1.2.6)."""

    error = "account_selection_required"


class InteractionRequired(OAuthError):
    """`prompt=none`, and the user must do something else first (OpenID Connect Core §3.1.2.6)."""

    error = "interaction_required"


class UnmetAuthenticationRequirements(OAuthError):
    """No sign-in can be what the request requires (OpenID Connect Core Unmet Authentication Requirements 1.0)."""

    error = "unmet_authentication_requirements"


class RequestNotSupported(OAuthError):
    """Request objects by value are not offered (OpenID Connect Core §3.1.2.6)."""

    error = "request_not_supported"


class RequestUriNotSupported(OAuthError):
    """Request objects by reference are not offered (OpenID Connect Core §3.1.2.6)."""

    error = "request_uri_not_supported"


class InvalidRequestObject(OAuthError):
    """The request object is not what it must be (RFC 9101 §7)."""

    error = "invalid_request_object"


class InvalidRequestUri(OAuthError):
    """What `request_uri` names cannot be had, or may not be (RFC 9101 §7)."""

    error = "invalid_request_uri"


class RegistrationNotSupported(OAuthError):
    """The `registration` parameter is not offered (OpenID Connect Core §3.1.2.6)."""

    error = "registration_not_supported"


class InvalidRedirectUri(OAuthError):
    """A redirect URI is one that cannot be registered (RFC 7591 §3.2.2)."""

    error = "invalid_redirect_uri"


class InvalidClientMetadata(OAuthError):
    """What is registered of a client does not do, or cannot be registered (RFC 7591 §3.2.2)."""

    error = "invalid_client_metadata"


class InvalidSoftwareStatement(OAuthError):
    """The software statement is malformed, expired or not signed by its issuer (RFC 7591 §3.2.2)."""

    error = "invalid_software_statement"


class UnapprovedSoftwareStatement(OAuthError):
    """The software statement is not of an issuer that is trusted here (RFC 7591 §3.2.2)."""

    error = "unapproved_software_statement"


def bearer_challenge(error: OAuthError, realm: str = "OAuth") -> str:
    """Return the `WWW-Authenticate` of an error at a resource (RFC 6750 §3)."""
    members = error.members()
    # "If the request lacks any authentication information [...], the resource server SHOULD NOT include an error code
    # or other error information" (§3.1).
    if error.reason == "none":
        return f'Bearer realm="{realm}"'
    return f'Bearer realm="{realm}", error="{error.error}", error_description="{members["error_description"]}"'


class InvalidToken(OAuthError):
    """The bearer token is not valid here (RFC 6750 §3.1)."""

    error = "invalid_token"
    status = 401

    def headers(self) -> Headers:
        """Return the challenge."""
        return (*super().headers(), ("WWW-Authenticate", bearer_challenge(self)))


class InsufficientScope(OAuthError):
    """The bearer token reaches less than this resource needs (RFC 6750 §3.1)."""

    error = "insufficient_scope"
    status = 403

    def headers(self) -> Headers:
        """Return the challenge."""
        return (*super().headers(), ("WWW-Authenticate", bearer_challenge(self)))


class UnsupportedTokenType(OAuthError):
    """The server cannot revoke tokens of this type (RFC 7009 §2.2.1)."""

    error = "unsupported_token_type"


class ServerError(OAuthError):
    """Something failed that should not have (RFC 6749 §4.1.2.1)."""

    error = "server_error"
    status = 500


class TemporarilyUnavailable(OAuthError):
    """The server is in trouble that will pass; what the client holds is still good (RFC 6749 §4.1.2.1)."""

    error = "temporarily_unavailable"
    status = 503


class TooManyRequests(OAuthError):
    """The caller must slow down (RFC 6585 §4)."""

    error = "temporarily_unavailable"
    status = 429


class StoreUnavailable(Exception):
    """The store cannot answer now: down, locked, read-only, full. Endpoints answer 503, never `invalid_grant`.

    What it says is for the operator, who finds it in the log; it holds no token and no secret.
    """

    @property
    def reason(self) -> str:
        """Return why, for the operator."""
        return str(self) or "it does not say why"
