"""The authorization endpoint (RFC 6749 §3.1, OpenID Connect Core §3.1.2), in two phases.

`validate_authorization_request` reads and checks the request. The application then signs the user in and asks for
consent, in its own way and time. `complete_authorization` stores the grant and takes its code to the client, or
`refuse_authorization` takes an error there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from everbearer.oauth.authorization.front_channel import issue_to_browser
from everbearer.oauth.authorization.request import (
    AuthorizationRequest,
    default_response_mode,
    read_authorization_request,
    redirect_uri_of,
    response_mode_of,
)
from everbearer.oauth.authorization.request_objects import read_request_object
from everbearer.oauth.authorization.response_modes import ResponseMode, carry
from everbearer.oauth.authorization_server import AuthorizationServer
from everbearer.oauth.client import IMPLICIT, Client
from everbearer.oauth.clients.use import note_use
from everbearer.oauth.error_response import error_members
from everbearer.oauth.errors import InvalidRequest, LoginRequired, OAuthError, UnmetAuthenticationRequirements
from everbearer.oauth.events import Event, EventKind
from everbearer.oauth.messages import Response
from everbearer.oauth.models import Authentication, CodeBinding, Grant
from everbearer.oauth.parameters import Parameters, parse
from everbearer.oauth.randomness import random_bytes, random_id
from everbearer.oauth.response_types import CODE, NONE, TOKEN, gives
from everbearer.oauth.scope import OPENID, format_scope
from everbearer.oauth.sessions.session_state import session_state
from everbearer.oauth.tokens.refresh_tokens import SECRET_LENGTH

_NOTHING: Mapping[str, str] = MappingProxyType({})


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
    except OAuthError as error:
        _tell_refusal(error, "", server)
        raise AuthorizationRefused(error) from None
    try:
        asked = await read_request_object(parameters, client, server)
    except OAuthError as error:
        raise _refused(error, parameters, client, server) from None
    try:
        back = _back(asked.parameters, client, server)
    except OAuthError as error:
        _tell_refusal(asked.refused or error, client.client_id, server)
        raise AuthorizationRefused(asked.refused or error) from None
    try:
        return await read_authorization_request(asked, client, back.redirect_uri, server)
    except OAuthError as error:
        _tell_refusal(error, client.client_id, server)
        raise AuthorizationRefused(error, _error_response(error, back, server)) from None


async def resume_authorization_request(query: str, server: AuthorizationServer) -> AuthorizationRequest:
    """Return the request of which `AuthorizationRequest.query` was kept, checked anew.

    What has changed meanwhile counts: a client that was disabled, a redirect URI that was taken out. So it does no harm
    where the query is kept where the user can change it.

    Raises:
        AuthorizationRefused: it cannot be granted any more.
        StoreUnavailable: the store cannot answer.
    """
    try:
        parameters = parse(query)
    except InvalidRequest as error:
        _tell_refusal(error, "", server)
        raise AuthorizationRefused(error) from None
    return await validate_authorization_request(parameters, server)


def _refused(
    error: OAuthError, parameters: Parameters, client: Client, server: AuthorizationServer
) -> AuthorizationRefused:
    """Return the refusal of a request whose request object is not known to be the client's: that says nothing yet."""
    _tell_refusal(error, client.client_id, server)
    try:
        back = _back(parameters, client, server)
    except OAuthError:
        return AuthorizationRefused(error)
    return AuthorizationRefused(error, _error_response(error, back, server))


def _back(parameters: Parameters, client: Client, server: AuthorizationServer) -> _Return:
    redirect_uri = redirect_uri_of(parameters, client, server)
    try:
        mode = response_mode_of(parameters)
    except InvalidRequest:
        mode = default_response_mode(parameters)
    return _Return(client, redirect_uri, mode, parameters.get("state", ""))


async def complete_authorization(
    request: AuthorizationRequest,
    authentication: Authentication,
    server: AuthorizationServer,
    *,
    consent_epoch: int | None = None,
    address: str = "",
    agent: str = "",
    browser_state: str = "",
) -> Response:
    """Store a grant and return the response that takes its code, or what else it gives, to the client.

    `consent_epoch` is that of the consent the user gave or had given; None where the client needs none. Where the
    request requires another user or sign-in (`unmet`), the response takes that error there. `browser_state` is what the
    client may watch (see `session_state`); empty where it may not.

    Raises:
        ValueError: a field of `authentication` is of another type than its own.
    """
    authentication.check()
    refused = unmet(request, authentication, server)
    if refused is not None:
        return refuse_authorization(request, refused, server, browser_state=browser_state)
    back = _Return(request.client, request.redirect_uri, request.response_mode, request.state)
    if request.response_type == NONE:
        await note_use(request.client, server)
        return _response(_session_state(request, browser_state), back, server)
    grant = _grant(request, authentication, consent_epoch, now=server.now())
    try:
        members = await issue_to_browser(request, grant, server)
    except OAuthError as error:
        return refuse_authorization(request, error, server, browser_state=browser_state)
    created = _created(grant, address, agent)
    await server.store.create_grant(grant, created)
    server.tell(created)
    if gives(request.response_type, TOKEN):
        details = {"grant_type": IMPLICIT, "scope": members["scope"]}
        server.tell(replace(created, kind=EventKind.TOKEN_ISSUED, details=details))
    return _response({**members, **_session_state(request, browser_state)}, back, server)


def _grant(
    request: AuthorizationRequest, authentication: Authentication, consent_epoch: int | None, *, now: int
) -> Grant:
    binding = CodeBinding(
        redirect_uri=request.redirect_uri_sent, code_challenge=request.code_challenge, nonce=request.nonce
    )
    gives_code = gives(request.response_type, CODE)
    return Grant(
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
        # Without a code there is nothing to redeem.
        generation=0 if gives_code else 1,
        code=binding if gives_code else None,
        claims=request.claims,
        resources=request.resources,
        client_epoch=request.client.epoch,
        consent_epoch=consent_epoch,
    )


def unmet(
    request: AuthorizationRequest, authentication: Authentication, server: AuthorizationServer
) -> OAuthError | None:
    """Return the error that a request wants for this sign-in; None where it is what the request requires."""
    # "the Authorization Server MUST NOT reply with an ID Token or Access Token for a different user" (OpenID Connect
    # Core §3.1.2.2).
    if not all(named.is_user(authentication.subject, server) for named in request.named):
        return LoginRequired("the user who signed in is not the one that the request names")
    # "If this is an Essential Claim and the requirement cannot be met, then the Authorization Server MUST treat that
    # outcome as a failed authentication attempt" (§5.5.1.1).
    if request.required_acr and authentication.acr not in request.required_acr:
        return UnmetAuthenticationRequirements("no sign-in here has an acr that the request requires")
    return None


def refuse_authorization(
    request: AuthorizationRequest, error: OAuthError, server: AuthorizationServer, *, browser_state: str = ""
) -> Response:
    """Return the response that takes an error to the client; `browser_state` as in `complete_authorization`."""
    _tell_refusal(error, request.client.client_id, server)
    back = _Return(request.client, request.redirect_uri, request.response_mode, request.state)
    return _error_response(error, back, server, _session_state(request, browser_state))


def _created(grant: Grant, address: str, agent: str) -> Event:
    resources = {"resources": " ".join(grant.resources)} if grant.resources else {}
    return Event(
        kind=EventKind.GRANT_CREATED,
        at=grant.created_at,
        actor=f"user:{grant.subject}",
        grant_id=grant.grant_id,
        client_id=grant.client_id,
        subject=grant.subject,
        address=address,
        agent=agent,
        details={"scope": format_scope(grant.scope), **resources},
    )


def _tell_refusal(error: OAuthError, client_id: str, server: AuthorizationServer) -> None:
    reason = {"reason": error.reason} if error.reason else {}
    server.tell(
        Event(
            kind=EventKind.AUTHORIZATION_REFUSED,
            at=server.now(),
            client_id=client_id,
            details={"error": error.error, **reason},
        )
    )


def _session_state(request: AuthorizationRequest, browser_state: str) -> dict[str, str]:
    # "it MUST also return the Session State as an additional session_state parameter in the Authentication Response and
    # SHOULD also return the Session State [...] in the Authentication Error Response" (Session Management §2).
    asked = OPENID in request.scope
    state = session_state(request.client.client_id, request.redirect_uri, browser_state) if asked else ""
    return {"session_state": state} if state else {}


def _error_response(
    error: OAuthError, back: _Return, server: AuthorizationServer, more: Mapping[str, str] = _NOTHING
) -> Response:
    return replace(_response({**error_members(error), **more}, back, server), error=error.error)


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
