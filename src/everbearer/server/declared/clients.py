"""Clients as the configuration declares them, made into the protocol's."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

from everbearer.oauth.client import (
    AUTHORIZATION_CODE,
    CLIENT_CREDENTIALS,
    IMPLICIT,
    REFRESH_TOKEN,
    AccessTokenFormat,
    AuthMethod,
    Client,
    Lifetimes,
    RotationPolicy,
    SubjectType,
    TokenExchangePolicy,
)
from everbearer.oauth.clients.assertions import seal_client_secret
from everbearer.oauth.clients.authentication import CLIENT_SECRET
from everbearer.oauth.crypto.sealing import Sealer
from everbearer.oauth.response_types import CODE, gives, gives_to_browser
from everbearer.oauth.scope import OFFLINE_ACCESS, Scope, parse_scope
from everbearer.server.config import FULL_ACCESS, Config
from everbearer.server.config.clients import ClientSection
from everbearer.server.config.lifetimes import LifetimesSection, RotationSection
from everbearer.server.config.secrets import client_secrets

CLIENT_SECRET_JWT = "client_secret_jwt"
PRIVATE_KEY_JWT = "private_key_jwt"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptSecrets:
    """What is kept of a client's secrets, newest first; see `Client`."""

    hashes: tuple[str, ...] = field(default=(), repr=False)
    sealed: tuple[str, ...] = field(default=(), repr=False)


def keep_secrets(section: ClientSection, sealer: Sealer) -> KeptSecrets:
    """Return what is kept of a declared client's secrets.

    Raises:
        ConfigError: their file cannot be read, or one is too short to be a secret.
    """
    secrets = client_secrets(section)
    return KeptSecrets(
        hashes=tuple(sealer.keyed_hash(CLIENT_SECRET, secret.encode()) for secret in secrets),
        sealed=tuple(seal_client_secret(section.client_id, secret, sealer) for secret in secrets),
    )


def declared_client(section: ClientSection, secrets: KeptSecrets, config: Config) -> Client:
    """Return the client that a section declares, with what its method needs of its secrets.

    Assumes nothing of the store.
    """
    method = section.token_endpoint_auth_method
    hashes = () if method == PRIVATE_KEY_JWT else secrets.hashes
    return Client(
        client_id=section.client_id,
        client_name=section.client_name or section.client_id,
        secrets=hashes,
        sealed_secrets=secrets.sealed if method == CLIENT_SECRET_JWT else (),
        token_endpoint_auth_method=_auth_method(section, hashes),
        token_endpoint_auth_signing_alg=section.token_endpoint_auth_signing_alg,
        jwks=section.jwks,
        jwks_uri=section.jwks_uri,
        redirect_uris=section.redirect_uris,
        post_logout_redirect_uris=section.post_logout_redirect_uris,
        backchannel_logout_uri=section.backchannel_logout_uri,
        backchannel_logout_session_required=section.backchannel_logout_session_required,
        frontchannel_logout_uri=section.frontchannel_logout_uri,
        frontchannel_logout_session_required=section.frontchannel_logout_session_required,
        grant_types=section.grant_types or _grant_types(section),
        scope=parse_scope(section.scope) if section.scope is not None else _scope(section, config),
        subject_type=SubjectType(section.subject_type),
        sector_identifier=section.sector_identifier,
        claims=section.claims,
        id_token_claims=section.id_token_claims,
        first_party=section.first_party,
        response_types=section.response_types,
        require_pkce=section.require_pkce,
        default_max_age=section.default_max_age,
        request_object_signing_alg=section.request_object_signing_alg,
        require_signed_request_object=section.require_signed_request_object,
        request_uris=section.request_uris,
        require_auth_time=section.require_auth_time,
        remember_consent=section.remember_consent,
        default_acr_values=section.default_acr_values,
        access_token_format=AccessTokenFormat(section.access_token_format),
        access_token_signing_alg=section.access_token_signing_alg,
        id_token_signed_response_alg=section.id_token_signed_response_alg,
        id_token_encrypted_response_alg=section.id_token_encrypted_response_alg,
        id_token_encrypted_response_enc=section.id_token_encrypted_response_enc,
        userinfo_signed_response_alg=section.userinfo_signed_response_alg,
        userinfo_encrypted_response_alg=section.userinfo_encrypted_response_alg,
        userinfo_encrypted_response_enc=section.userinfo_encrypted_response_enc,
        introspection_signed_response_alg=section.introspection_signed_response_alg,
        introspection_encrypted_response_alg=section.introspection_encrypted_response_alg,
        introspection_encrypted_response_enc=section.introspection_encrypted_response_enc,
        audience=section.audience,
        resources=section.resources,
        introspects=section.introspects,
        introspects_all=section.introspects_all,
        lifetimes=lifetimes_of(section.lifetimes),
        rotation=rotation_of(section.rotation),
        token_exchange=TokenExchangePolicy(**msgspec.structs.asdict(section.token_exchange)),
        client_uri=section.client_uri,
        logo_uri=section.logo_uri,
        policy_uri=section.policy_uri,
        tos_uri=section.tos_uri,
        initiate_login_uri=section.initiate_login_uri,
    )


def lifetimes_of(section: LifetimesSection) -> Lifetimes:
    """Return the protocol's lifetimes."""
    return Lifetimes(**msgspec.structs.asdict(section))


def rotation_of(section: RotationSection) -> RotationPolicy:
    """Return the protocol's rotation policy."""
    return RotationPolicy(**msgspec.structs.asdict(section))


def _auth_method(section: ClientSection, hashes: tuple[str, ...]) -> AuthMethod | None:
    if section.token_endpoint_auth_method:
        return AuthMethod(section.token_endpoint_auth_method)
    return None if hashes else AuthMethod.NONE


def _grant_types(section: ClientSection) -> tuple[str, ...]:
    if section.type == "machine":
        return (CLIENT_CREDENTIALS,)
    by_code = any(gives(each, CODE) for each in section.response_types)
    to_browser = any(map(gives_to_browser, section.response_types))
    return (*((AUTHORIZATION_CODE, REFRESH_TOKEN) if by_code else ()), *((IMPLICIT,) if to_browser else ()))


def _scope(section: ClientSection, config: Config) -> Scope:
    """Return all that a client of this type may ask for where it does not say."""
    if section.type == "machine":
        return ()
    if section.first_party and section.type in {"spa", "native"}:
        return tuple(config.all_scopes)
    refreshes = REFRESH_TOKEN in (section.grant_types or _grant_types(section))
    withheld = {FULL_ACCESS} if refreshes else {FULL_ACCESS, OFFLINE_ACCESS}
    return tuple(value for value in config.all_scopes if value not in withheld)
