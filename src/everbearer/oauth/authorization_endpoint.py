"""The authorization endpoint (RFC 6749 §3.1, OpenID Connect Core §3.1.2), in two phases.

`validate_authorization_request` reads and checks the request. The application then signs the user in and asks for
consent, in its own way and time. `complete_authorization` stores the grant and takes its code to the client, or
`refuse_authorization` takes an error there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from everbearer.oauth.authorization_server import AuthorizationServer
from everbearer.oauth.error_response import error_members
from everbearer.oauth.errors import (
    InvalidRequest,
    InvalidScope,
    OAuthError,
    RegistrationNotSupported,
    RequestNotSupported,
    RequestUriNotSupported,
    UnauthorizedClient,
    UnsupportedResponseType,
)
from everbearer.oauth.events import Event, EventKind
from everbearer.oauth.id_tokens import read_id_token_hint
from everbearer.oauth.messages import Response
from everbearer.oauth.models import (
    AUTHORIZATION_CODE,
    REFRESH_TOKEN,
    Authentication,
    Client,
    CodeBinding,
    Grant,
)
from everbearer.oauth.parameters import Parameters
from everbearer.oauth.randomness import random_bytes, random_id
from everbearer.oauth.redirect_uris import origin_of, registered, well_formed
from everbearer.oauth.refresh_tokens import SECRET_LENGTH, seal_code
from everbearer.oauth.response_modes import ResponseMode, carry
from everbearer.oauth.scope import OFFLINE_ACCESS, OPENID, Scope, format_scope, parse_scope, require_within

CODE = "code"
NONE = "none"
"""Nothing is issued; the browser only comes back signed in (Multiple Response Type Encoding Practices §4)."""
RESPONSE_TYPES = (CODE, NONE)
PROMPTS = frozenset({"none", "login", "consent", "select_account"})
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationRequest:
    """An authorization request that was checked: its client is known and its redirect URI that client's."""

    client: Client
    response_type: str
    response_mode: ResponseMode
    redirect_uri: str
    """Where to answer."""
    redirect_uri_sent: str
    """As it stood in the request; empty where it was left out."""
    scope: Scope
    state: str = field(repr=False)
    nonce: str = field(repr=False)
    code_challenge: str
    prompt: frozenset[str]
    max_age: int | None
    login_hint: str
    hinted_subject: str | None
    """The subject of its `id_token_hint`."""
    ui_locales: tuple[str, ...]
    acr_values: tuple[str, ...]
    parameters: Parameters

    @property
    def offline(self) -> bool:
        """Return whether it asks for refresh tokens."""
        return OFFLINE_ACCESS in self.scope


class AuthorizationRefused(Exception):
    """An authorization request is refused.

    Attributes:
        error: why.
        response: takes the error to the client. None where the client or its redirect URI is in doubt: "the
            authorization server MUST NOT automatically redirect the user agent to the invalid redirection URI"
            (RFC 6749 §4.1.2.1); show the user a page.
    """

    def __init__(self, error: OAuthError, response: Response | None = None) -> None:
        super().__init__(error.description)
        self.error = error
        self.response = response


@dataclass(frozen=True, slots=True)
class _Return:
    """Where and how to answer, once that is known to be safe."""

    client: Client
    redirect_uri: str
    mode: ResponseMode
    state: str


async def validate_authorization_request(parameters: Parameters, server: AuthorizationServer) -> AuthorizationRequest:
    """Return the request, checked.

    Raises:
        AuthorizationRefused: it cannot be granted, whoever signs in.
        StoreUnavailable: the store cannot answer.
    """
    try:
        client = await _client(parameters, server)
        redirect_uri = _redirect_uri(parameters, client, server)
    except OAuthError as error:
        raise AuthorizationRefused(error) from None
    back = _Return(client, redirect_uri, ResponseMode.QUERY, parameters.get("state", ""))
    try:
        back = _Return(client, redirect_uri, _response_mode(parameters), back.state)
        return _checked(parameters, back, server)
    except OAuthError as error:
        raise AuthorizationRefused(error, _error_response(error, back, server)) from None


async def complete_authorization(
    request: AuthorizationRequest,
    authentication: Authentication,
    server: AuthorizationServer,
    *,
    consent_epoch: int | None = None,
    address: str = "",
    agent: str = "",
) -> Response:
    """Store a grant and return the response that takes its code to the client.

    `consent_epoch` is that of the consent the user gave or had given; None where the client needs none.
    """
    back = _Return(request.client, request.redirect_uri, request.response_mode, request.state)
    if request.response_type == NONE:
        return _response({}, back, server)
    now = server.now()
    grant = Grant(
        grant_id=random_id(),
        client_id=request.client.client_id,
        subject=authentication.subject,
        scope=request.scope,
        secret=random_bytes(SECRET_LENGTH),
        offline=request.offline,
        authentication=authentication,
        created_at=now,
        rotated_at=now,
        used_at=now,
        code=CodeBinding(
            redirect_uri=request.redirect_uri_sent, code_challenge=request.code_challenge, nonce=request.nonce
        ),
        client_epoch=request.client.epoch,
        consent_epoch=consent_epoch,
    )
    code = seal_code(grant, server.sealer)
    await server.store.create_grant(grant, _created(grant, address, agent))
    return _response({"code": code}, back, server)


def refuse_authorization(request: AuthorizationRequest, error: OAuthError, server: AuthorizationServer) -> Response:
    """Return the response that takes an error to the client."""
    back = _Return(request.client, request.redirect_uri, request.response_mode, request.state)
    return _error_response(error, back, server)


def _created(grant: Grant, address: str, agent: str) -> Event:
    return Event(
        kind=EventKind.GRANT_CREATED,
        at=grant.created_at,
        actor=f"user:{grant.subject}",
        grant_id=grant.grant_id,
        client_id=grant.client_id,
        subject=grant.subject,
        address=address,
        agent=agent,
        details={"scope": format_scope(grant.scope)},
    )


def _error_response(error: OAuthError, back: _Return, server: AuthorizationServer) -> Response:
    return replace(_response(error_members(error), back, server), error=error.error)


def _response(members: dict[str, str], back: _Return, server: AuthorizationServer) -> Response:
    state = {"state": back.state} if back.state else {}
    # "the authorization server supporting this specification MUST indicate its identity by including the iss
    # parameter in the response", errors too (RFC 9207 §2).
    return carry({**members, **state, "iss": server.issuer}, back.redirect_uri, back.mode)


async def _client(parameters: Parameters, server: AuthorizationServer) -> Client:
    client = await server.store.client(parameters.require("client_id"))
    if client is None or client.disabled_at is not None:
        raise InvalidRequest("client_id names no client that is known here")
    return client


def _redirect_uri(parameters: Parameters, client: Client, server: AuthorizationServer) -> str:
    sent = parameters.get("redirect_uri")
    if sent is None:
        return _only_redirect_uri(parameters, client)
    if registered(sent, client.redirect_uris):
        return sent
    # The server's own pages are a safe place to come back to, where nothing is carried along.
    own = well_formed(sent) and origin_of(sent) == origin_of(server.issuer) != "" and "@" not in sent
    if own and parameters.get("response_type") == NONE:
        return sent
    raise InvalidRequest("redirect_uri is not registered for this client; register it exactly as it is sent")


def _only_redirect_uri(parameters: Parameters, client: Client) -> str:
    # "redirect_uri REQUIRED" (OpenID Connect Core §3.1.2.1); optional without OpenID where one is registered
    # (RFC 6749 §3.1.2.3).
    if len(client.redirect_uris) != 1 or OPENID in parameters.get("scope", "").split():
        raise InvalidRequest("the parameter redirect_uri is missing")
    return client.redirect_uris[0]


def _response_mode(parameters: Parameters) -> ResponseMode:
    mode = parameters.get("response_mode", ResponseMode.QUERY)
    try:
        return ResponseMode(mode)
    except ValueError:
        raise InvalidRequest(f"response_mode must be one of: {', '.join(ResponseMode)}") from None


def _checked(parameters: Parameters, back: _Return, server: AuthorizationServer) -> AuthorizationRequest:
    _refuse_what_is_not_offered(parameters)
    response_type = _response_type(parameters, back.client)
    return AuthorizationRequest(
        client=back.client,
        response_type=response_type,
        response_mode=back.mode,
        redirect_uri=back.redirect_uri,
        redirect_uri_sent=parameters.get("redirect_uri", ""),
        scope=_scope(parameters, back.client, server),
        state=back.state,
        nonce=parameters.get("nonce", ""),
        code_challenge=_code_challenge(parameters, back.client) if response_type == CODE else "",
        prompt=_prompt(parameters),
        max_age=_max_age(parameters),
        login_hint=parameters.get("login_hint", ""),
        hinted_subject=_hinted_subject(parameters, server),
        ui_locales=tuple(parameters.get("ui_locales", "").split()),
        acr_values=tuple(parameters.get("acr_values", "").split()),
        parameters=parameters,
    )


def _refuse_what_is_not_offered(parameters: Parameters) -> None:
    # Never silently ignored: what a request object says would go unheard (OpenID Connect Core §6).
    if "request" in parameters:
        raise RequestNotSupported("request objects are not supported; send the parameters themselves")
    if "request_uri" in parameters:
        raise RequestUriNotSupported("request_uri is not supported; send the parameters themselves")
    if "registration" in parameters:
        raise RegistrationNotSupported("the registration parameter is not supported")


def _response_type(parameters: Parameters, client: Client) -> str:
    response_type = parameters.require("response_type")
    if response_type not in RESPONSE_TYPES:
        raise UnsupportedResponseType("response_type must be code")
    if AUTHORIZATION_CODE not in client.grant_types:
        raise UnauthorizedClient("this client may not use the authorization code grant")
    return response_type


def _scope(parameters: Parameters, client: Client, server: AuthorizationServer) -> Scope:
    scope = parse_scope(parameters.get("scope", ""))
    # "If the client omits the scope parameter [...], the authorization server MUST either process the request using a
    # pre-defined default value or fail the request indicating an invalid scope" (RFC 6749 §3.3).
    if not scope:
        raise InvalidScope("the parameter scope is missing, e.g. scope=openid offline_access")
    require_within(scope, tuple(server.scopes), "is not known here")
    require_within(scope, client.scope, "is not allowed to this client")
    # "The Authorization Server MUST ignore the offline_access request unless [...]" (OpenID Connect Core §11).
    keep_offline = REFRESH_TOKEN in client.grant_types
    kept = tuple(value for value in scope if keep_offline or value != OFFLINE_ACCESS)
    if not kept:
        raise InvalidScope("this client may not have refresh tokens; ask for more than offline_access")
    return kept


def _code_challenge(parameters: Parameters, client: Client) -> str:
    challenge = parameters.get("code_challenge")
    method = parameters.get("code_challenge_method")
    if challenge is None:
        # "Public clients MUST use PKCE" (RFC 9700 §2.1.1).
        if client.public or client.require_pkce or method is not None:
            raise InvalidRequest("the parameter code_challenge is missing: this client must use PKCE (RFC 7636)")
        return ""
    if method != "S256":
        raise InvalidRequest("code_challenge_method must be S256")
    if not _CHALLENGE.fullmatch(challenge):
        raise InvalidRequest("code_challenge must be the SHA-256 of the code_verifier in base64url: 43 characters")
    return challenge


def _prompt(parameters: Parameters) -> frozenset[str]:
    prompt = frozenset(parameters.get("prompt", "").split())
    if not prompt <= PROMPTS:
        raise InvalidRequest(f"prompt must be of: {', '.join(sorted(PROMPTS))}")
    # "If this parameter contains none with any other value, an error is returned" (OpenID Connect Core §3.1.2.1).
    if "none" in prompt and len(prompt) > 1:
        raise InvalidRequest("prompt=none cannot be combined with other values")
    return prompt


def _max_age(parameters: Parameters) -> int | None:
    text = parameters.get("max_age")
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 10):  # noqa: PLR2004 - three centuries
        raise InvalidRequest("max_age must be a number of seconds")
    return int(text)


def _hinted_subject(parameters: Parameters, server: AuthorizationServer) -> str | None:
    text = parameters.get("id_token_hint")
    if text is None:
        return None
    hint = read_id_token_hint(text, server)
    if hint is None:
        raise InvalidRequest("id_token_hint is not an ID token of this server")
    return hint.subject
