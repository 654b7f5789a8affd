"""The authorization code grant (RFC 6749 §4.1.3) with PKCE (RFC 7636 §4.5 and §4.6).

A code is generation 0 of its grant, so that redeeming it is spending a generation, like every refresh after it.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import replace
from hashlib import sha256
from urllib.parse import urlsplit

from everbearer.oauth.authorization_server import AuthorizationServer, TokenRequest
from everbearer.oauth.encoding import base64url
from everbearer.oauth.errors import InvalidGrant, InvalidRequest
from everbearer.oauth.history import with_entry
from everbearer.oauth.lifetime_rules import LONGEST_CODE_LIFETIME
from everbearer.oauth.lifetimes import SERVER, end_of
from everbearer.oauth.models import CodeBinding, Ended, EndReason, Grant, Happening
from everbearer.oauth.store import Spend
from everbearer.oauth.token_response import TokenResponse
from everbearer.oauth.tokens.ending import end_grant
from everbearer.oauth.tokens.explanations import DESCRIPTIONS, explanation_uri
from everbearer.oauth.tokens.issuing import issue_tokens
from everbearer.oauth.tokens.refresh_tokens import open_code
from everbearer.oauth.tokens.resource_indicators import target_of_grant

_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")


async def authorization_code_grant(request: TokenRequest, server: AuthorizationServer) -> TokenResponse:
    """Redeem an authorization code for tokens, once.

    Raises:
        InvalidRequest: a parameter is missing or malformed.
        InvalidGrant: the code is not valid, not this client's, expired or redeemed before.
        InvalidTarget: `resource` asks for another than was granted; nothing is spent.
        InvalidClientMetadata: the ID token cannot be encrypted to the client; nothing is spent.
        TemporarilyUnavailable: the client's keys cannot be fetched at this moment; nothing is spent.
    """
    code = request.parameters.require("code")
    now = server.now()
    grant = await _grant_of(code, request, server)
    if grant.code is None:
        raise await _replayed(grant, server)
    ended = end_of(grant, request.client, now)
    if ended is not None:
        raise InvalidGrant(
            DESCRIPTIONS[ended.reason], reason=ended.reason, error_uri=explanation_uri(server.base, ended.reason)
        )
    _check_redirect_uri(grant.code, request)
    _check_verifier(grant.code, request)
    history = with_entry(grant, Happening.ISSUED, request.http, generation=1, now=now)
    redeemed = replace(grant, generation=1, rotated_at=now, used_at=now, code=None, history=history)
    scope, nonce = grant.scope, grant.code.nonce
    target = target_of_grant(request.parameters, grant.resources, scope, request.client, server)
    tokens = await issue_tokens(request, redeemed, scope, server, now=now, nonce=nonce, target=target)
    spend = await server.store.spend(redeemed, expected=0)
    if spend is Spend.SUPERSEDED:
        raise await _replayed(grant, server)
    if spend is Spend.ENDED:
        raise InvalidGrant("what this code stands for was ended before it was redeemed", reason="ended")
    return tokens


async def _grant_of(code: str, request: TokenRequest, server: AuthorizationServer) -> Grant:
    presented = open_code(code, server.sealer)
    grant = await server.store.grant(presented.grant_id) if presented else None
    if presented is None or grant is None or not presented.belongs_to(grant):
        raise InvalidGrant("the code is not valid", reason="not authentic")
    # "ensure that the authorization code was issued to the authenticated confidential client, or if the client is
    # public, ensure that the code was issued to "client_id" in the request" (§4.1.3).
    if grant.client_id != request.client.client_id:
        raise InvalidGrant("the code was issued to another client", reason="another client's")
    return grant


async def _replayed(grant: Grant, server: AuthorizationServer) -> InvalidGrant:
    # "If an authorization code is used more than once, the authorization server MUST deny the request and SHOULD
    # revoke (when possible) all tokens previously issued based on that authorization code" (§4.1.2).
    now = server.now()
    # A code that is older than any may live lies about in logs and histories; it must not sign anybody out.
    if now - grant.created_at > LONGEST_CODE_LIFETIME:
        return InvalidGrant("the code was redeemed before", reason="code replayed late", grant_id=grant.grant_id)
    ended = Ended(reason=EndReason.CODE_REPLAYED, actor=SERVER, at=now)
    await end_grant(grant, ended, server)
    return InvalidGrant(
        "the code was redeemed before; what it gave has been revoked",
        reason=ended.reason,
        error_uri=explanation_uri(server.base, ended.reason),
        grant_id=grant.grant_id,
    )


def _check_redirect_uri(binding: CodeBinding, request: TokenRequest) -> None:
    presented = request.parameters.get("redirect_uri", "")
    # "REQUIRED, if the "redirect_uri" parameter was included in the authorization request [...] and their values
    # MUST be identical" (§4.1.3).
    if not binding.redirect_uri and not presented:
        return
    allowed = binding.redirect_uri or next(iter(request.client.redirect_uris), "")
    if presented not in (allowed, *_as_a_browser_writes_it(allowed, public=request.client.public)):
        raise InvalidGrant("redirect_uri is not the one of the authorization request", reason="redirect_uri")


def _as_a_browser_writes_it(uri: str, *, public: bool) -> tuple[str, ...]:
    # Scripts that take it from their own address send "/" for an empty path and leave out the query. The verifier
    # proves the same browser, so a public client loses nothing by it.
    if not public:
        return ()
    parts = urlsplit(uri)._replace(query="", fragment="")
    return (parts._replace(path=parts.path or "/").geturl(), parts.geturl())


def _check_verifier(binding: CodeBinding, request: TokenRequest) -> None:
    verifier = request.parameters.get("code_verifier")
    if not binding.code_challenge:
        # "ensuring that [...] a code_verifier parameter is accepted only if a code_challenge parameter was present in
        # the authorization request" (RFC 9700 §2.1.1).
        if verifier is not None:
            raise InvalidGrant("code_verifier is sent, but the authorization request had no code_challenge")
        return
    if verifier is None:
        raise InvalidRequest("the parameter code_verifier is missing")
    if not _VERIFIER.fullmatch(verifier):
        raise InvalidRequest("code_verifier must be 43 to 128 of the characters A-Z a-z 0-9 - . _ ~")
    challenge = base64url(sha256(verifier.encode()).digest())
    if not hmac.compare_digest(challenge, binding.code_challenge):
        raise InvalidGrant("code_verifier does not fit the code_challenge", reason="code_verifier")
