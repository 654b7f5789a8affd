"""What a client that registers itself may be: what it asks for, within what is allowed here (RFC 7591 §2 and §5).

What can be narrowed is narrowed, and the answer tells what was registered: "The authorization server MAY reject or
replace any of the client's requested metadata values submitted during the registration and substitute them with
suitable values" (§3.2.1). What would leave the client with something it cannot work with is refused.
"""

from __future__ import annotations

import unicodedata
from urllib.parse import urlsplit

from everbearer.oauth.authorization.request_objects import UNSIGNED
from everbearer.oauth.authorization_server import AuthorizationServer
from everbearer.oauth.client import AUTHORIZATION_CODE, DEVICE_CODE, IMPLICIT, REFRESH_TOKEN, AuthMethod, SubjectType
from everbearer.oauth.client_registration import ClientRegistration
from everbearer.oauth.client_rules.redirect_uris import redirect_uri_problem
from everbearer.oauth.clients.assertions import ALGORITHMS_OF
from everbearer.oauth.clients.metadata import ClientMetadata
from everbearer.oauth.crypto.jwe import DEFAULT_CONTENT_ENCRYPTION
from everbearer.oauth.crypto.keys import ALGORITHMS
from everbearer.oauth.errors import InvalidClientMetadata, InvalidRedirectUri
from everbearer.oauth.response_types import gives_to_browser, normal_response_type
from everbearer.oauth.scope import OFFLINE_ACCESS, Scope

WEB, NATIVE = "web", "native"
_ENCRYPTED = ("id_token_encrypted_response", "userinfo_encrypted_response", "introspection_encrypted_response")
_REDIRECTING = frozenset({AUTHORIZATION_CODE, IMPLICIT})
_WITH_USERS = _REDIRECTING | {DEVICE_CODE}
_SIGNED = ("id_token_signed_response_alg", "userinfo_signed_response_alg", "introspection_signed_response_alg")


def allowed_metadata(
    metadata: ClientMetadata, registration: ClientRegistration, server: AuthorizationServer, *, limit: Scope
) -> ClientMetadata:
    """Return what is registered of what a client asks for, with what it left out; `limit` is all its scope may be.

    Raises:
        InvalidRedirectUri: a redirect URI is malformed, or not allowed here.
        InvalidClientMetadata: something else is not allowed, or contradicts itself.
    """
    metadata = _request_objects(_types(metadata, registration, server), server)
    _check_redirect_uris(metadata, registration)
    _check_other_uris(metadata, registration)
    method = _auth_method(metadata, registration)
    alg = metadata.values.get("token_endpoint_auth_signing_alg") if method in ALGORITHMS_OF else None
    _check_name(metadata, registration)
    return metadata.having(
        application_type=_application_type(metadata),
        token_endpoint_auth_method=method,
        token_endpoint_auth_signing_alg=alg,
        scope=_scope(metadata, limit),
        subject_type=_subject_type(metadata, server),
        id_token_signed_response_alg=_signing_alg(metadata, server),
        **_content_encryption(metadata),
    )


def comparable_name(name: str) -> str:
    """Return what names that look much the same have in common."""
    normal = unicodedata.normalize("NFKC", name).casefold()
    return "".join(char for char in normal if char.isalnum())


def _types(metadata: ClientMetadata, registration: ClientRegistration, server: AuthorizationServer) -> ClientMetadata:
    # "If omitted, the default behavior is that the client will use only the "authorization_code" Grant Type"; "the
    # default is that the client will use only the "code" response type" (§2).
    asked = metadata.texts("grant_types") or (AUTHORIZATION_CODE,)
    types = metadata.texts("response_types") or (("code",) if AUTHORIZATION_CODE in asked else ())
    _check_consistent(asked, types)
    offered = {normal_response_type(each) for each in server.profile.response_types}
    # Whether tokens go by the browser, the profile says alone.
    by_browser = (IMPLICIT,) if any(map(gives_to_browser, offered)) else ()
    known = server.grant_types
    enabled = (grant_type for grant_type in registration.grant_types if grant_type in known)
    allowed = (*enabled, *by_browser)
    grants = tuple(grant_type for grant_type in asked if grant_type in allowed)
    if not grants or grants == (REFRESH_TOKEN,):
        raise InvalidClientMetadata(f"grant_types may be: {', '.join(allowed)}")
    kept = tuple(each for each in types if normal_response_type(each) in offered and _grants_of(each) <= set(grants))
    if _REDIRECTING & set(grants) and not kept:
        raise InvalidClientMetadata(f"response_types may be: {', '.join(server.profile.response_types)}")
    if not any(map(gives_to_browser, kept)):
        grants = tuple(each for each in grants if each != IMPLICIT)
    return metadata.having(grant_types=grants, response_types=kept)


def _request_objects(metadata: ClientMetadata, server: AuthorizationServer) -> ClientMetadata:
    profile = server.profile
    if metadata.text("request_object_signing_alg") == UNSIGNED and not profile.unsigned_request_objects:
        raise InvalidClientMetadata("request_object_signing_alg none is not allowed here: sign request objects")
    return metadata if profile.request_uris else metadata.having(request_uris=None)


def _check_consistent(grants: tuple[str, ...], types: tuple[str, ...]) -> None:
    # "a server supporting these fields SHOULD take steps to ensure that a client cannot register itself into an
    # inconsistent state" (§2.1).
    for each in types:
        missing = _grants_of(each) - set(grants)
        if missing:
            raise InvalidClientMetadata(
                f"response_types has {each[:40]}, which needs {' and '.join(sorted(missing))} in grant_types"
            )
    if AUTHORIZATION_CODE in grants and not any(AUTHORIZATION_CODE in _grants_of(each) for each in types):
        raise InvalidClientMetadata("grant_types has authorization_code, which needs code in response_types")


def _grants_of(response_type: str) -> set[str]:
    """Return the grant types that a response type needs (OpenID Connect Registration §2)."""
    parts = set(response_type.split())
    code = {AUTHORIZATION_CODE} if "code" in parts or not parts & {"token", "id_token"} else set[str]()
    return code | ({IMPLICIT} if parts & {"token", "id_token"} else set[str]())


def _check_redirect_uris(metadata: ClientMetadata, registration: ClientRegistration) -> None:
    # "clients using flows with redirection MUST register their redirection URI values" (§2); others have none.
    grants, kind = metadata.texts("grant_types"), metadata.text("application_type")
    if _REDIRECTING & set(grants) and "redirect_uris" not in metadata:
        raise InvalidRedirectUri("redirect_uris is missing: name at least one place to send users back to")
    for uri in metadata.texts("redirect_uris"):
        problem = redirect_uri_problem(uri) or _policy_problem(uri, registration) or _type_problem(uri, kind, grants)
        if problem:
            raise InvalidRedirectUri(f"redirect_uris: {uri[:200]} {problem}")


def _check_other_uris(metadata: ClientMetadata, registration: ClientRegistration) -> None:
    for uri in metadata.texts("post_logout_redirect_uris"):
        problem = redirect_uri_problem(uri) or _policy_problem(uri, registration)
        if problem:
            raise InvalidClientMetadata(f"post_logout_redirect_uris: {uri[:200]} {problem}")
    uri = metadata.text("initiate_login_uri")
    problem = _policy_problem(uri, registration) if uri else ""
    if problem:
        raise InvalidClientMetadata(f"initiate_login_uri: {uri[:200]} {problem}")


def _application_type(metadata: ClientMetadata) -> str:
    # "The default, if omitted, is web" (OpenID Connect Registration §2), for those who go by that specification. RFC
    # 7591 knows no such member, and its clients on users' machines leave it out.
    given = metadata.text("application_type")
    return given or (WEB if all(map(_is_https, metadata.texts("redirect_uris"))) else NATIVE)


def _type_problem(uri: str, application_type: str, grant_types: tuple[str, ...]) -> str:
    # "Native Clients MUST only register redirect_uris using custom URI schemes or loopback URLs using the http scheme
    # [...] The Authorization Server MUST verify that all the registered redirect_uris conform to these constraints"
    # (OpenID Connect Registration §2). RFC 8252 §7.2, which came after it, lets them have https URIs too: "Apps can
    # claim "https" scheme URIs in the domains they control".
    if application_type == WEB and not _is_https(uri):
        return 'is not for an application_type of "web": use https, or register as "native"'
    # "Web Clients using the OAuth Implicit Grant Type MUST only register URLs using the https scheme as redirect_uris;
    # they MUST NOT use localhost as the hostname" (the same).
    if application_type != NATIVE and IMPLICIT in grant_types and urlsplit(uri).hostname == "localhost":
        return "is of localhost, where tokens do not go by the browser: use a host of the web, or the code alone"
    return ""


def _policy_problem(uri: str, registration: ClientRegistration) -> str:
    parts = urlsplit(uri)
    if parts.scheme == "https":
        allowed = registration.redirect_hosts
        return "" if not allowed or _is_host_of(parts.hostname or "", allowed) else "is of a host that is not allowed"
    if parts.scheme == "http":
        return "" if registration.loopback else "is of this very machine, which is not allowed: use https"
    return "" if registration.app_schemes else "has a scheme of an application, which is not allowed: use https"


def _is_host_of(host: str, allowed: tuple[str, ...]) -> bool:
    return any(host.endswith(name[1:]) if name.startswith("*.") else host == name for name in map(str.lower, allowed))


def _is_https(uri: str) -> bool:
    return uri.lower().startswith("https://")


def _auth_method(metadata: ClientMetadata, registration: ClientRegistration) -> AuthMethod:
    allowed = registration.token_endpoint_auth_methods
    asked: AuthMethod | None = metadata.values.get("token_endpoint_auth_method")
    if asked is None:
        # "If unspecified or omitted, the default is "client_secret_basic"" (§2).
        return AuthMethod.BASIC if AuthMethod.BASIC in allowed else allowed[0]
    if asked not in allowed:
        raise InvalidClientMetadata(f"token_endpoint_auth_method may be: {', '.join(allowed)}")
    return asked


def _scope(metadata: ClientMetadata, limit: Scope) -> Scope:
    asked, grants = metadata.texts("scope"), metadata.texts("grant_types")
    # "If omitted, an authorization server MAY register a client with a default set of scopes" (§2). A client without
    # users has no use for those.
    wanted = asked or (limit if _WITH_USERS & set(grants) else ())
    scope = tuple(value for value in wanted if value in limit)
    if asked and not scope:
        raise InvalidClientMetadata("nothing of scope is allowed to clients that register themselves")
    return tuple(value for value in scope if value != OFFLINE_ACCESS or REFRESH_TOKEN in grants)


def _subject_type(metadata: ClientMetadata, server: AuthorizationServer) -> SubjectType:
    asked: SubjectType = metadata.values.get("subject_type", SubjectType.PUBLIC)
    if asked is SubjectType.PAIRWISE and not server.pairwise_salt():
        raise InvalidClientMetadata("subject_type may be: public")
    return asked


def _signing_alg(metadata: ClientMetadata, server: AuthorizationServer) -> str:
    available = signing_algs(server)
    for name in _SIGNED:
        if name in metadata and metadata.text(name) not in available:
            raise InvalidClientMetadata(f"{name} may be: {', '.join(available)}")
    # "The default, if omitted, is RS256" (OpenID Connect Registration §2).
    asked = metadata.text("id_token_signed_response_alg")
    return asked or ("RS256" if "RS256" in available else available[0])


def _content_encryption(metadata: ClientMetadata) -> dict[str, str]:
    # "If id_token_encrypted_response_alg is specified, the default id_token_encrypted_response_enc value is
    # A128CBC-HS256" (OpenID Connect Registration §2), and the same of the others.
    encrypted = [name for name in _ENCRYPTED if f"{name}_alg" in metadata]
    return {f"{name}_enc": metadata.text(f"{name}_enc") or DEFAULT_CONTENT_ENCRYPTION for name in encrypted}


def signing_algs(server: AuthorizationServer) -> list[str]:
    """Return the algorithms that the server has a key for, ours first."""
    keys = server.keys()
    return [alg for alg in ALGORITHMS if alg in keys.signing]


def _check_name(metadata: ClientMetadata, registration: ClientRegistration) -> None:
    # "a rogue client might use the name and logo for the legitimate client, which it is trying to impersonate. An
    # authorization server needs to take steps to mitigate this phishing risk" (§5).
    for name in metadata.values:
        is_name = name.partition("#")[0] == "client_name"
        if is_name and comparable_name(metadata.text(name)) in registration.reserved_names:
            raise InvalidClientMetadata(f"{name} is the name of another application here: choose another")
