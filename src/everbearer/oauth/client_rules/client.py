"""Settings of a client that contradict each other or a specification (RFC 6749, RFC 7591, RFC 8252 and RFC 9700)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from everbearer.oauth.client import (
    AUTHORIZATION_CODE,
    CLIENT_CREDENTIALS,
    IMPLICIT,
    REFRESH_TOKEN,
    AccessTokenFormat,
    AuthMethod,
    Client,
    SubjectType,
    refreshes_nothing,
)
from everbearer.oauth.client_rules.claims import claim_problems
from everbearer.oauth.client_rules.grants import grant_problems
from everbearer.oauth.client_rules.keys import key_problems
from everbearer.oauth.client_rules.logout_uris import logout_uri_problems
from everbearer.oauth.client_rules.redirect_uris import redirect_uri_problem
from everbearer.oauth.client_rules.request_objects import request_object_problems
from everbearer.oauth.clients.assertions import ALGORITHMS_OF
from everbearer.oauth.crypto.client_keys import algorithm_named
from everbearer.oauth.lifetime_rules import client_rotation_problems, lifetime_problems
from everbearer.oauth.redirect_uris import web_host
from everbearer.oauth.resource import is_resource_identifier
from everbearer.oauth.response_types import CODE, RESPONSE_TYPES, gives, gives_to_browser, normal_response_type
from everbearer.oauth.scope import OFFLINE_ACCESS
from everbearer.oauth.uris import is_safe_to_fetch, is_web_page

_CLIENT_ID = re.compile(r"[\x21-\x7e]{1,200}")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")

_WITH_SECRET = frozenset({AuthMethod.BASIC, AuthMethod.POST, AuthMethod.SECRET_JWT})


def client_problems(client: Client) -> tuple[str, ...]:
    """Return what is wrong with a client's settings, a sentence each that says what to change."""
    return (
        *_identity(client),
        *_authentication(client),
        *key_problems(client),
        *request_object_problems(client),
        *_grant_types(client),
        *grant_problems(client),
        *_response_types(client),
        *_redirects(client),
        *logout_uri_problems(client),
        *_subjects(client),
        *claim_problems(client),
        *_resources(client),
        *_self_registered(client),
        *lifetime_problems(client.lifetimes, refreshes=REFRESH_TOKEN in client.grant_types),
        *client_rotation_problems(client),
    )


def _identity(client: Client) -> Iterator[str]:
    if not _CLIENT_ID.fullmatch(client.client_id):
        yield "client_id must be 1 to 200 printable ASCII characters without spaces"
    if client.default_max_age is not None and client.default_max_age < 0:
        yield "default_max_age is negative: set a number of seconds, or none"
    for value in client.default_acr_values:
        if len(value.split()) != 1:
            yield f"default_acr_values: {value!r} must be one value, without spaces"


def _authentication(client: Client) -> Iterator[str]:
    method, alg = client.token_endpoint_auth_method, client.token_endpoint_auth_signing_alg
    if method in {AuthMethod.NONE, AuthMethod.PRIVATE_KEY_JWT} and client.secrets:
        yield f'token_endpoint_auth_method is "{method}", but the client has a secret: remove the secret or the method'
    if method in _WITH_SECRET and not client.secrets:
        yield f'token_endpoint_auth_method is "{method}", but the client has no secret: give it one or set "none"'
    if method is AuthMethod.SECRET_JWT and len(client.sealed_secrets) != len(client.secrets):
        yield 'token_endpoint_auth_method is "client_secret_jwt", which needs each secret sealed in sealed_secrets too'
    if method is not AuthMethod.SECRET_JWT and client.sealed_secrets:
        yield "sealed_secrets are for client_secret_jwt alone: remove them, hashes are enough"
    algs = ALGORITHMS_OF.get(method) if method else None
    if alg is not None and algorithm_named(alg) not in (algs or ()):
        allowed = f"set one of {', '.join(algs)}" if algs else "remove it, for it says how assertions are signed"
        yield f"token_endpoint_auth_signing_alg {alg!r} does not go with this token_endpoint_auth_method: {allowed}"
    if method is AuthMethod.PRIVATE_KEY_JWT and CLIENT_CREDENTIALS in client.grant_types and _is_opaque(client):
        # What proves such a token is made of the secret that the store keeps.
        yield 'access_token_format "opaque" with client_credentials needs a secret: set "jwt" or another method'


def _is_opaque(client: Client) -> bool:
    return client.access_token_format is AccessTokenFormat.OPAQUE


def _self_registered(client: Client) -> Iterator[str]:
    if client.initiate_login_uri and not is_safe_to_fetch(client.initiate_login_uri):
        # "URI using the https scheme" (OpenID Connect Registration §2).
        yield f"initiate_login_uri: {client.initiate_login_uri!r} must be an https URL without a fragment or user name"
    if client.registration is not None and client.first_party:
        yield "first_party is not for a client that registered itself, for it may change: create another one by command"


def _grant_types(client: Client) -> Iterator[str]:
    if not client.grant_types:
        yield "grant_types is empty: name at least one, such as authorization_code"
    if CLIENT_CREDENTIALS in client.grant_types and client.public:
        # "The client credentials grant type MUST only be used by confidential clients" (RFC 6749 §4.4).
        yield (
            "client_credentials is for clients with a secret or keys: give it one or take client_credentials from "
            "grant_types"
        )
    if refreshes_nothing(client.grant_types):
        yield "refresh_token needs a grant to refresh: add authorization_code to grant_types or take refresh_token out"
    if OFFLINE_ACCESS in client.scope and REFRESH_TOKEN not in client.grant_types:
        yield "scope has offline_access, which asks for a refresh token: add refresh_token to grant_types"


def _response_types(client: Client) -> Iterator[str]:
    types = [normal_response_type(each) for each in client.response_types]
    unknown = [each for each in types if each not in RESPONSE_TYPES]
    if unknown:
        yield f"response_types: {unknown[0]!r} is not one of: {', '.join(RESPONSE_TYPES)}"
        return
    # "a server supporting these fields SHOULD take steps to ensure that a client cannot register itself into an
    # inconsistent state" (RFC 7591 §2.1).
    to_browser = any(map(gives_to_browser, types))
    if to_browser and IMPLICIT not in client.grant_types:
        yield "response_types has tokens by the browser: add implicit to grant_types, or take them out"
    if IMPLICIT in client.grant_types and not to_browser:
        yield "grant_types has implicit, but response_types no id_token or token: take implicit out"
    if AUTHORIZATION_CODE in client.grant_types and not any(gives(each, CODE) for each in types):
        yield "grant_types has authorization_code, but response_types no code: add code, or take authorization_code out"
    if any(gives(each, CODE) and each != CODE for each in types) and AUTHORIZATION_CODE not in client.grant_types:
        yield "response_types has a code beside tokens: add authorization_code to grant_types"


def _redirects(client: Client) -> Iterator[str]:
    if {AUTHORIZATION_CODE, IMPLICIT} & set(client.grant_types) and not client.redirect_uris:
        yield "signing users in needs a place to send them back to: add at least one URI to redirect_uris"
    for name in ("redirect_uris", "post_logout_redirect_uris"):
        for uri in getattr(client, name):
            problem = redirect_uri_problem(uri)
            if problem:
                yield f"{name}: {uri!r} {problem}"
    for name in ("client_uri", "logo_uri", "policy_uri", "tos_uri"):
        uri = getattr(client, name)
        if uri and not is_web_page(uri):
            yield f"{name}: {uri!r} must be an absolute https or http URL"


def _subjects(client: Client) -> Iterator[str]:
    if client.subject_type is SubjectType.PUBLIC:
        if client.sector_identifier:
            yield 'sector_identifier is for pairwise subjects: set subject_type to "pairwise" or take it out'
        return
    if client.sector_identifier:
        if not _HOST.fullmatch(client.sector_identifier):
            yield f"sector_identifier {client.sector_identifier!r} must be a host alone, such as app.example.com"
        return
    hosts = {web_host(uri) for uri in client.redirect_uris}
    if len(hosts) != 1 or "" in hosts:
        # "If there are multiple hostnames in the registered redirect_uris, the Client MUST register a
        # sector_identifier_uri" (OpenID Connect Core §8.1).
        setting = "sector_identifier_uri" if client.registration else "sector_identifier"
        yield f'subject_type is "pairwise", but redirect_uris are not all https on one host: set {setting}'


def _resources(client: Client) -> Iterator[str]:
    for name in ("resources", "introspects"):
        for uri in getattr(client, name):
            if not is_resource_identifier(uri):
                yield f"{name}: {uri!r} must be an absolute URI without a fragment"
