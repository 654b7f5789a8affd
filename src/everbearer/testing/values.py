"""Values that the suites store, with every field set to something of its own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeAlias

from everbearer.oauth.client import (
    AccessTokenFormat,
    AuthMethod,
    Client,
    Lifetimes,
    RotationPolicy,
    SubjectType,
    TokenExchangePolicy,
)
from everbearer.oauth.events import Event, EventKind
from everbearer.oauth.models import (
    Authentication,
    CodeBinding,
    Ended,
    EndReason,
    Grant,
    Happening,
    HistoryEntry,
    RequestedClaims,
)
from everbearer.oauth.store import GrantStore

PutClient: TypeAlias = Callable[[Client], Awaitable[None]]
"""Stores a client, new or changed."""

NOW = 1_750_000_000

CLIENT = Client(
    client_id="spa",
    client_name="Ünïcode & Söhne",
    secrets=("hash 1", "hash 2"),
    sealed_secrets=("sealed 1", "sealed 2"),
    token_endpoint_auth_method=AuthMethod.SECRET_JWT,
    token_endpoint_auth_signing_alg="HS256",
    jwks='{"keys": []}',
    jwks_uri="https://app.example/jwks",
    redirect_uris=("https://app.example/callback", "http://localhost:8080/", "com.example.app:/callback"),
    post_logout_redirect_uris=("https://BYE.example:443/out",),
    backchannel_logout_uri="https://app.example/backchannel",
    backchannel_logout_session_required=True,
    frontchannel_logout_uri="https://app.example/frontchannel",
    frontchannel_logout_session_required=True,
    grant_types=("authorization_code",),
    response_types=("code id_token",),
    scope=("openid", "offline_access"),
    subject_type=SubjectType.PAIRWISE,
    sector_identifier="app.example",
    first_party=True,
    require_pkce=False,
    default_max_age=12,
    require_auth_time=True,
    request_object_signing_alg="PS256",
    require_signed_request_object=True,
    request_uris=("https://app.example/request#hash",),
    default_acr_values=("urn:example:gold",),
    access_token_format=AccessTokenFormat.OPAQUE,
    access_token_signing_alg="RS256",
    id_token_signed_response_alg="PS256",
    id_token_encrypted_response_alg="ECDH-ES",
    id_token_encrypted_response_enc="A256GCM",
    userinfo_signed_response_alg="RS256",
    userinfo_encrypted_response_alg="RSA-OAEP",
    userinfo_encrypted_response_enc="A128GCM",
    introspection_signed_response_alg="EdDSA",
    introspection_encrypted_response_alg="RSA-OAEP-256",
    introspection_encrypted_response_enc="A192GCM",
    claims={"profile": ("name", "département"), "email": ()},
    id_token_claims=("email",),
    audience="https://api.example",
    resources=("https://notes.example/",),
    introspects=("urn:example:files",),
    introspects_all=True,
    lifetimes=Lifetimes(
        access_token=100,
        access_token_by_grant={"client_credentials": 70},
        refresh_token=10_000,
        refresh_token_idle=1_000,
        id_token=50,
        authorization_code=10,
        device_code=20,
    ),
    rotation=RotationPolicy(
        rotate=False, retry_window=7, late_after=8, late_limit=None, retry_limit=9, arrival_after=11
    ),
    token_exchange=TokenExchangePolicy(
        subject_clients=("web", "tv"), audiences=("https://stock.example",), impersonate=True
    ),
    client_uri="https://app.example/",
    logo_uri="https://app.example/logo.png",
    policy_uri="https://app.example/policy",
    tos_uri="https://app.example/tos",
    initiate_login_uri="https://app.example/login",
    remember_consent=False,
    disabled_at=NOW + 1,
    created_at=NOW + 2,
)

GRANT = Grant(
    grant_id="grant",
    client_id="spa",
    subject="ada",
    scope=("openid", "offline_access"),
    secret=bytes(range(240, 256)),
    offline=True,
    authentication=Authentication(
        subject="ada", auth_time=NOW - 5, amr=("pwd", "otp"), acr="urn:acr", session_id="session", user_epoch=0
    ),
    created_at=NOW,
    rotated_at=NOW + 1,
    used_at=NOW + 2,
    generation=3,
    confirmed=2,
    retries=1,
    late_generation=2,
    late_streak=1,
    idempotency_key="hash of a key",
    code=CodeBinding(redirect_uri="https://app.example/callback", code_challenge="challenge", nonce="nonce"),
    claims=RequestedClaims(
        userinfo={"name": (), "locale": ('"en-GB"', '"de"')}, id_token={"email": ()}, locales=("fr-CA",)
    ),
    resources=("https://notes.example/", "urn:example:files"),
    client_epoch=0,
    consent_epoch=0,
    history=(
        HistoryEntry(at=NOW, happening=Happening.ISSUED, generation=1),
        HistoryEntry(at=NOW + 1, happening=Happening.RETRIED_LATE, generation=2, address="::1", agent="curl/8 Ü"),
    ),
)

EVENT = Event(
    kind=EventKind.GRANT_CREATED,
    at=NOW,
    actor="user:ada",
    grant_id="grant",
    client_id="spa",
    subject="ada",
    address="192.0.2.1",
    agent="Mozilla/5.0",
    details={"scope": "openid", "note": "Ü"},
)

ENDED = Ended(reason=EndReason.REVOKED_BY_USER, actor="user:ada", at=NOW + 50)
OTHER_END = Ended(reason=EndReason.REVOKED_BY_ADMIN, actor="admin:eve", at=NOW + 60)


def new_grant(grant_id: str = "grant", *, session_id: str = "session", offline: bool = True) -> Grant:
    """Return a grant of the second refresh token that takes the newest epochs."""
    return replace(
        GRANT,
        grant_id=grant_id,
        offline=offline,
        generation=2,
        retries=0,
        code=None,
        authentication=replace(GRANT.authentication, session_id=session_id, user_epoch=None),
        client_epoch=None,
        consent_epoch=None,
    )


def rotated(grant: Grant) -> Grant:
    """Return the grant with its next refresh token."""
    return replace(grant, generation=grant.generation + 1, rotated_at=NOW + 100, used_at=NOW + 100)


async def stored(store: GrantStore, grant: Grant) -> Grant:
    """Store a grant and return it as the store has it."""
    await store.create_grant(grant, EVENT)
    found = await store.grant(grant.grant_id)
    assert found is not None
    return found
