"""Settings of a client that contradict each other or a specification (RFC 6749, RFC 7591, RFC 8252 and RFC 9700)."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from urllib.parse import SplitResult, urlsplit

from everbearer.oauth.client_assertions import ALGORITHMS_OF
from everbearer.oauth.client_keys import UnusableKeys, read_jwks
from everbearer.oauth.keys import ALGORITHMS
from everbearer.oauth.models import (
    AUTHORIZATION_CODE,
    CLIENT_CREDENTIALS,
    MINUTE,
    REFRESH_TOKEN,
    AccessTokenFormat,
    AuthMethod,
    Client,
    Lifetimes,
    RotationPolicy,
    SubjectType,
)
from everbearer.oauth.redirect_uris import web_host
from everbearer.oauth.scope import OFFLINE_ACCESS

LONGEST_CODE_LIFETIME = 10 * MINUTE
"""RFC 6749 §4.1.2."""

_CLIENT_ID = re.compile(r"[\x21-\x7e]{1,200}")
_URI = re.compile(r"[\x21\x23-\x3b\x3d\x3f-\x5b\x5d\x5f\x61-\x7a\x7e]+")
"""The characters of RFC 3986: no spaces, control characters, quotes, backslashes or letters beyond ASCII."""
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
_CODE_IN_A_URI = frozenset({"javascript", "data", "vbscript", "file", "blob", "about", "filesystem"})

_WITH_SECRET = frozenset({AuthMethod.BASIC, AuthMethod.POST, AuthMethod.SECRET_JWT})
_LEAST = {"retry_window": 0, "late_after": 0, "late_limit": 1, "retry_limit": 1, "arrival_after": 0}
"""The least that each number of a rotation policy may be."""

MOST_JITTER = 0.5
"""More would give access tokens of a life that nobody has set."""


def client_problems(client: Client) -> tuple[str, ...]:
    """Return what is wrong with a client's settings, a sentence each that says what to change."""
    return (
        *_identity(client),
        *_authentication(client),
        *_keys(client),
        *_grant_types(client),
        *_redirects(client),
        *_subjects(client),
        *_lifetimes(client.lifetimes, refreshes=REFRESH_TOKEN in client.grant_types),
        *_rotation(client),
    )


def lifetime_problems(lifetimes: Lifetimes) -> tuple[str, ...]:
    """Return what is wrong with lifetimes that a client with refresh tokens may take."""
    return tuple(_lifetimes(lifetimes, refreshes=True))


def rotation_problems(policy: RotationPolicy) -> tuple[str, ...]:
    """Return what contradicts itself in a policy, whoever takes it."""
    return tuple(_retries(policy))


def is_loopback(host: str | None) -> bool:
    """Return whether a host of a URI is this very machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def _identity(client: Client) -> Iterator[str]:
    if not _CLIENT_ID.fullmatch(client.client_id):
        yield "client_id must be 1 to 200 printable ASCII characters without spaces"
    for name in ("access_token_signing_alg", "id_token_signed_response_alg"):
        if getattr(client, name) not in ALGORITHMS:
            yield f"{name} {getattr(client, name)!r} is not one of {', '.join(ALGORITHMS)}"


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
    if alg is not None and alg not in (algs or ()):
        allowed = f"set one of {', '.join(algs)}" if algs else "remove it, for it says how assertions are signed"
        yield f"token_endpoint_auth_signing_alg {alg!r} does not go with this token_endpoint_auth_method: {allowed}"
    if method is AuthMethod.PRIVATE_KEY_JWT and CLIENT_CREDENTIALS in client.grant_types and _is_opaque(client):
        # What proves such a token is made of the secret that the store keeps.
        yield 'access_token_format "opaque" with client_credentials needs a secret: set "jwt" or another method'


def _is_opaque(client: Client) -> bool:
    return client.access_token_format is AccessTokenFormat.OPAQUE


def _keys(client: Client) -> Iterator[str]:
    if client.token_endpoint_auth_method is not AuthMethod.PRIVATE_KEY_JWT:
        if client.jwks or client.jwks_uri:
            yield 'jwks and jwks_uri are for token_endpoint_auth_method "private_key_jwt": set that, or remove them'
        return
    if not client.jwks and not client.jwks_uri:
        yield "private_key_jwt needs the client's public keys: set jwks_uri, or jwks"
    if client.jwks and client.jwks_uri:
        # "The "jwks_uri" and "jwks" parameters MUST NOT both be present in the same request or response" (RFC 7591 §2).
        yield "jwks and jwks_uri are both set: keep one of them"
    if client.jwks_uri and not _is_safe_to_fetch(client.jwks_uri):
        yield f"jwks_uri: {client.jwks_uri!r} must be an https URL without a fragment or user name"
    if client.jwks:
        yield from _jwks(client.jwks)


def _jwks(document: str) -> Iterator[str]:
    try:
        read_jwks(document)
    except UnusableKeys as problem:
        yield f"jwks {problem}"


def _is_safe_to_fetch(uri: str) -> bool:
    parts = _split(uri)
    if parts is None or not parts.hostname or "@" in parts.netloc or "#" in uri:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname))


def _grant_types(client: Client) -> Iterator[str]:
    if not client.grant_types:
        yield "grant_types is empty: name at least one, such as authorization_code"
    if CLIENT_CREDENTIALS in client.grant_types and client.public:
        # "The client credentials grant type MUST only be used by confidential clients" (RFC 6749 §4.4).
        yield (
            "client_credentials is for clients with a secret or keys: give it one or take client_credentials from "
            "grant_types"
        )
    if REFRESH_TOKEN in client.grant_types and AUTHORIZATION_CODE not in client.grant_types:
        yield "refresh_token needs a grant to refresh: add authorization_code to grant_types or take refresh_token out"
    if OFFLINE_ACCESS in client.scope and REFRESH_TOKEN not in client.grant_types:
        yield "scope has offline_access, which asks for a refresh token: add refresh_token to grant_types"


def _redirects(client: Client) -> Iterator[str]:
    if AUTHORIZATION_CODE in client.grant_types and not client.redirect_uris:
        yield "authorization_code needs a place to send the code: add at least one URI to redirect_uris"
    for name in ("redirect_uris", "post_logout_redirect_uris"):
        for uri in getattr(client, name):
            problem = redirect_uri_problem(uri)
            if problem:
                yield f"{name}: {uri!r} {problem}"
    for name in ("client_uri", "logo_uri", "policy_uri", "tos_uri"):
        uri = getattr(client, name)
        if uri and not _is_web_page(uri):
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
        yield 'subject_type is "pairwise", but redirect_uris are not all https on one host: set sector_identifier'


def redirect_uri_problem(uri: str) -> str:
    """Return what is wrong with a redirect URI, as the end of a sentence; empty where nothing is (RFC 6749 §3.1.2)."""
    parts = _split(uri)
    if parts is None:
        return "is not a URI: percent-encode spaces, quotes and characters beyond ASCII"
    if not parts.scheme:
        return "is not absolute: begin with https://, or with http:// on a loopback host"
    if "#" in uri:
        # "The endpoint URI MUST NOT include a fragment component" (RFC 6749 §3.1.2).
        return "has a fragment: leave out the # and what follows"
    return _web_redirect_problem(parts) if parts.scheme in {"http", "https"} else _app_redirect_problem(parts)


def _split(uri: str) -> SplitResult | None:
    if not _URI.fullmatch(uri):
        return None
    try:
        parts = urlsplit(uri)
        _ = parts.port, parts.hostname
    except ValueError:
        return None
    return parts


def _web_redirect_problem(parts: SplitResult) -> str:
    if not parts.hostname:
        return "has no host: write it as https://app.example.com/callback"
    if "@" in parts.netloc:
        return "has a user name in it: leave out what stands before the @"
    if "*" in parts.netloc or "*" in parts.path:
        return "has a wildcard, but redirect URIs are compared exactly (RFC 9700 §4.1.3): list each one"
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        return "would send the code in clear: use https, or http on localhost, 127.0.0.1 or [::1] only"
    return ""


def _app_redirect_problem(parts: SplitResult) -> str:
    if parts.scheme in _CODE_IN_A_URI:
        return f"would run or read something in the browser: the scheme {parts.scheme} is never allowed"
    # "The URI scheme ... MUST be based on a domain name under their control" (RFC 8252 §7.1 by way of RFC 7595 §3.8).
    if "." not in parts.scheme:
        return (
            "has a scheme that other apps can claim too: use one made of your domain, such as com.example.app:/callback"
        )
    return ""


def _is_web_page(uri: str) -> bool:
    parts = _split(uri)
    return parts is not None and parts.scheme in {"http", "https"} and bool(parts.hostname)


def _lifetimes(lifetimes: Lifetimes, *, refreshes: bool) -> Iterator[str]:
    for name in ("access_token", "refresh_token", "refresh_token_idle", "id_token", "authorization_code"):
        value = getattr(lifetimes, name)
        if value is not None and value <= 0:
            yield f"lifetimes.{name} is {value}: it must be at least 1 second"
    if not 0 <= lifetimes.access_token_jitter <= MOST_JITTER:
        yield f"lifetimes.access_token_jitter is {lifetimes.access_token_jitter:g}: it must be from 0 to {MOST_JITTER}"
    if lifetimes.authorization_code > LONGEST_CODE_LIFETIME:
        yield (
            f"lifetimes.authorization_code is {lifetimes.authorization_code} seconds: "
            f"at most {LONGEST_CODE_LIFETIME} are allowed (RFC 6749 §4.1.2)"
        )
    if refreshes:
        yield from _refresh_lifetimes(lifetimes)


def _refresh_lifetimes(lifetimes: Lifetimes) -> Iterator[str]:
    idle = lifetimes.refresh_token_idle
    if lifetimes.access_token > lifetimes.refresh_token:
        yield (
            f"lifetimes.access_token ({lifetimes.access_token} s) is longer than lifetimes.refresh_token "
            f"({lifetimes.refresh_token} s): shorten the first or lengthen the second"
        )
    if idle is not None and idle > lifetimes.refresh_token:
        yield (
            f"lifetimes.refresh_token_idle ({idle} s) is longer than lifetimes.refresh_token "
            f"({lifetimes.refresh_token} s) and would never count: shorten the first or lengthen the second"
        )
    if idle is not None and idle < lifetimes.access_token <= lifetimes.refresh_token:
        yield (
            f"lifetimes.refresh_token_idle ({idle} s) is shorter than lifetimes.access_token "
            f"({lifetimes.access_token} s): users at work would be signed out between two "
            "refreshes; lengthen the first or shorten the second"
        )


def _rotation(client: Client) -> Iterator[str]:
    if REFRESH_TOKEN not in client.grant_types:
        return
    if client.public and client.rotation.rotate is False:
        # "For public clients ... refresh tokens MUST be sender-constrained or use refresh token rotation" (RFC 9700).
        yield "rotation.rotate is false, but a client without a secret must rotate (RFC 9700 §2.2.2): set it to true"
    yield from _retries(client.rotation)


def _retries(policy: RotationPolicy) -> Iterator[str]:
    window = policy.retry_window
    for name, least in _LEAST.items():
        value = getattr(policy, name)
        if value is not None and value < least:
            yield f"rotation.{name} is {value}: it must be at least {least}"
    if policy.rotate is False and window is not None:
        yield "rotation.retry_window says how rotation may be retried, but rotation.rotate is false: remove one"
    if window and policy.late_limit is not None and policy.late_after > window > 0:
        yield (
            f"rotation.late_after ({policy.late_after} s) is longer than rotation.retry_window ({window} s), "
            "so no retry could ever be late: shorten the first, lengthen the second or set late_limit to none"
        )
