"""What a client may ask the authorization endpoint for, and what it must send with it.

RFC 6749 §3.1.1 and §3.3, RFC 7636 §4.4.1, OpenID Connect Core §3.1.2.1, §3.2.2.1 and §11.
"""

from __future__ import annotations

import re

from everbearer.oauth.authorization_server import AuthorizationServer
from everbearer.oauth.client import AUTHORIZATION_CODE, IMPLICIT, REFRESH_TOKEN, Client
from everbearer.oauth.errors import InvalidRequest, InvalidScope, UnauthorizedClient, UnsupportedResponseType
from everbearer.oauth.parameters import Parameters
from everbearer.oauth.response_types import (
    CODE,
    ID_TOKEN,
    NONE,
    RESPONSE_TYPES,
    gives,
    gives_to_browser,
    normal_response_type,
)
from everbearer.oauth.scope import OFFLINE_ACCESS, OPENID, Scope, parse_scope, require_within
from everbearer.oauth.users.subjects import require_subjects

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")


def response_type_of(parameters: Parameters, client: Client, server: AuthorizationServer) -> str:
    """Return the response type, one of `RESPONSE_TYPES`.

    Raises:
        InvalidRequest: there is none.
        UnsupportedResponseType: it is offered to nobody, nor to this client.
        UnauthorizedClient: this client may not use it.
    """
    response_type = normal_response_type(parameters.require("response_type"))
    allowed = {NONE, *map(normal_response_type, client.response_types)}
    offered = {*allowed, *server.profile.response_types}
    if response_type not in RESPONSE_TYPES or response_type not in offered:
        raise UnsupportedResponseType(f"response_type must be one of: {', '.join(server.profile.response_types)}")
    # "unauthorized_client: The client is not authorized to request an access token using this method" (RFC 6749
    # §4.2.2.1).
    if response_type not in allowed:
        raise UnauthorizedClient("this response_type is not among the response_types of this client")
    _check_grant_types(response_type, client)
    require_subjects(client, server)
    return response_type


def _check_grant_types(response_type: str, client: Client) -> None:
    if gives(response_type, CODE) and AUTHORIZATION_CODE not in client.grant_types:
        raise UnauthorizedClient("this client may not use the authorization code grant")
    if gives_to_browser(response_type) and IMPLICIT not in client.grant_types:
        raise UnauthorizedClient("this client may not have tokens by the browser: implicit is not in its grant_types")
    if not {AUTHORIZATION_CODE, IMPLICIT} & set(client.grant_types):
        raise UnauthorizedClient("this client does not sign users in")


def scope_of(parameters: Parameters, client: Client, response_type: str, server: AuthorizationServer) -> Scope:
    """Return the scope.

    Raises:
        InvalidScope: it is missing, not known or not allowed to this client.
    """
    # "If the client omits the scope parameter [...], the authorization server MUST either process the request using a
    # pre-defined default value or fail the request indicating an invalid scope" (RFC 6749 §3.3).
    scope = parse_scope(parameters.get("scope", "")) or _within(server.default_scope, client)
    if not scope:
        raise InvalidScope("the parameter scope is missing, e.g. scope=openid offline_access")
    if OPENID in scope:
        # "Scope values used that are not understood by an implementation SHOULD be ignored" (OpenID Connect Core
        # §3.1.2.1). The answer tells what was granted.
        scope = tuple(value for value in scope if value in server.scopes)
    require_within(scope, tuple(server.scopes), "is not known here")
    # "MUST ignore the offline_access request unless the Client is using a response_type value that would result in an
    # Authorization Code being returned" (OpenID Connect Core §11).
    keep_offline = REFRESH_TOKEN in client.grant_types and gives(response_type, CODE)
    kept = tuple(value for value in scope if keep_offline or value != OFFLINE_ACCESS)
    if not kept:
        raise InvalidScope("this client may not have refresh tokens; ask for more than offline_access")
    require_within(kept, client.scope, "is not allowed to this client")
    return kept


def _within(scope: Scope, client: Client) -> Scope:
    return tuple(value for value in scope if value in client.scope)


def nonce_of(parameters: Parameters, response_type: str, scope: Scope) -> str:
    """Return the nonce, empty where there need be none.

    Raises:
        InvalidRequest: it is missing, or OpenID is, from a request for an ID token by the browser.
    """
    nonce = parameters.get("nonce", "")
    if gives(response_type, ID_TOKEN):
        if OPENID not in scope:
            raise InvalidRequest("an ID token is asked for, but scope does not have openid")
        # "Use of the nonce Claim is REQUIRED for this flow" (OpenID Connect Core §3.2.2.10, §3.3.2.11).
        if not nonce:
            raise InvalidRequest("the parameter nonce is missing: this response_type needs a random one")
    return nonce


def code_challenge_of(parameters: Parameters, client: Client, scope: Scope, server: AuthorizationServer) -> str:
    """Return the code challenge, empty where there need be none.

    Raises:
        InvalidRequest: it is missing or malformed, or not of S256.
    """
    challenge = parameters.get("code_challenge")
    method = parameters.get("code_challenge_method")
    if challenge is None:
        # "Public clients MUST use PKCE" (RFC 9700 §2.1.1).
        if client.public or client.require_pkce or method is not None:
            raise InvalidRequest("the parameter code_challenge is missing: this client must use PKCE (RFC 7636)")
        _check_bound(parameters, client, scope, server)
        return ""
    if method != "S256":
        raise InvalidRequest("code_challenge_method must be S256")
    if not _CHALLENGE.fullmatch(challenge):
        raise InvalidRequest("code_challenge must be the SHA-256 of the code_verifier in base64url: 43 characters")
    return challenge


def _check_bound(parameters: Parameters, client: Client, scope: Scope, server: AuthorizationServer) -> None:
    # "Clients MUST prevent authorization code injection attacks [...] confidential OpenID Connect clients MAY use the
    # nonce parameter and the respective Claim in the ID Token instead" (RFC 9700 §2.1.1).
    if client.require_pkce is False or server.profile.unbound_codes or (OPENID in scope and "nonce" in parameters):
        return
    raise InvalidRequest(
        "the parameter code_challenge is missing: send PKCE (RFC 7636), or with scope openid a nonce that is checked"
    )
