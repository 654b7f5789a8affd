"""The authorization request, read and checked (RFC 6749 §4.1.1, OpenID Connect Core §3.1.2.1)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from everbearer.oauth.authorization.request_objects import Asked
from everbearer.oauth.authorization.response_modes import ResponseMode
from everbearer.oauth.authorization.rules import code_challenge_of, nonce_of, response_type_of, scope_of
from everbearer.oauth.authorization_server import AuthorizationServer
from everbearer.oauth.client import Client
from everbearer.oauth.errors import InvalidRequest, RegistrationNotSupported
from everbearer.oauth.models import RequestedClaims
from everbearer.oauth.parameters import Parameters, format_parameters
from everbearer.oauth.redirect_uris import origin_of, registered, well_formed
from everbearer.oauth.resource import Resources
from everbearer.oauth.response_types import CODE, NONE, gives, gives_to_browser
from everbearer.oauth.scope import OFFLINE_ACCESS, OPENID, Scope
from everbearer.oauth.tokens.id_tokens import read_id_token_hint
from everbearer.oauth.tokens.resource_indicators import authorized_resources
from everbearer.oauth.users.claims import ClaimsParameter, read_claims_parameter, scope_of_claims, within_reach
from everbearer.oauth.users.subjects import NamedSubject

PROMPTS = frozenset({"none", "login", "consent", "select_account"})
_LANGUAGE = re.compile(r"[A-Za-z0-9-]{1,35}")
MOST_LANGUAGES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationRequest:
    """An authorization request that was checked: its client is known and its redirect URI that client's."""

    client: Client
    response_type: str
    """One of `RESPONSE_TYPES`."""
    response_mode: ResponseMode
    redirect_uri: str
    """Where to answer."""
    redirect_uri_sent: str
    """As it stood in the request; empty where it was left out."""
    scope: Scope
    resources: Resources
    """What the access is to, as far as it says; empty where it does not (RFC 8707 §2.1)."""
    state: str = field(repr=False)
    nonce: str = field(repr=False)
    code_challenge: str
    prompt: frozenset[str]
    max_age: int | None
    login_hint: str
    named: tuple[NamedSubject, ...]
    """Whom it says the user is, by `id_token_hint` or by `sub` in `claims`: only they will do."""
    ui_locales: tuple[str, ...]
    acr_values: tuple[str, ...]
    """What the sign-in should be, the best first; none of them need be."""
    required_acr: tuple[str, ...]
    """Of these the sign-in must be; empty where none is required (OpenID Connect Core §5.5.1.1)."""
    claims: RequestedClaims | None
    """What it asks for by name, as far as its client may have it."""
    claims_scope: Scope
    """The scope values that stand for these claims."""
    parameters: Parameters
    """All that it asks for, out of its request object where it has one."""
    resumption: Parameters
    """What asks for the same once more, when the user has signed in or consented; see `Asked`."""

    @property
    def query(self) -> str:
        """Return the request as text, to be kept while the application signs the user in and asks for consent.

        A session or a hidden field will do; `resume_authorization_request` reads it.
        """
        return format_parameters(self.resumption)

    @property
    def offline(self) -> bool:
        """Return whether it asks for refresh tokens."""
        return OFFLINE_ACCESS in self.scope

    @property
    def consent_scope(self) -> Scope:
        """Return what the user is to consent to: scope, the values that stand for claims by name, and resources."""
        return tuple(dict.fromkeys((*self.scope, *self.claims_scope, *self.resources)))


def redirect_uri_of(parameters: Parameters, client: Client, server: AuthorizationServer) -> str:
    """Return where to answer.

    Raises:
        InvalidRequest: that is in doubt.
    """
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


def default_response_mode(parameters: Parameters) -> ResponseMode:
    """Return how to answer where the request does not say (Multiple Response Type Encoding Practices §3 and §5)."""
    to_browser = gives_to_browser(parameters.get("response_type", ""))
    return ResponseMode.FRAGMENT if to_browser else ResponseMode.QUERY


def response_mode_of(parameters: Parameters) -> ResponseMode:
    """Return how to answer.

    Raises:
        InvalidRequest: not in the way that is asked for.
    """
    default = default_response_mode(parameters)
    try:
        mode = ResponseMode(parameters.get("response_mode", default))
    except ValueError:
        raise InvalidRequest(f"response_mode must be one of: {', '.join(ResponseMode)}") from None
    # "the Response Mode query MUST NOT be used" with tokens (§5: they would stand in logs and histories).
    if mode is ResponseMode.QUERY and default is not ResponseMode.QUERY:
        raise InvalidRequest("response_mode=query is not for response types with token or id_token")
    return mode


async def read_authorization_request(
    asked: Asked, client: Client, redirect_uri: str, server: AuthorizationServer
) -> AuthorizationRequest:
    """Return the request, checked.

    Raises:
        OAuthError: it cannot be granted, whoever signs in.
    """
    if asked.refused is not None:
        raise asked.refused
    parameters = asked.parameters
    mode = response_mode_of(parameters)
    if "registration" in parameters:
        # Never silently ignored: what it says would go unheard.
        raise RegistrationNotSupported("the registration parameter is not supported")
    response_type = response_type_of(parameters, client, server)
    scope = scope_of(parameters, client, response_type, server)
    nonce = nonce_of(parameters, response_type, scope)
    claims = _claims(parameters, scope)
    reached = within_reach(claims.requested, client, server)
    return AuthorizationRequest(
        client=client,
        response_type=response_type,
        response_mode=mode,
        redirect_uri=redirect_uri,
        redirect_uri_sent=parameters.get("redirect_uri", ""),
        scope=scope,
        resources=authorized_resources(parameters, scope, client, server),
        state=parameters.get("state", ""),
        nonce=nonce,
        code_challenge=code_challenge_of(parameters, client, scope, server) if gives(response_type, CODE) else "",
        prompt=_prompt(parameters),
        max_age=_max_age(parameters, client),
        login_hint=parameters.get("login_hint", ""),
        named=(
            *await _hinted(parameters, client, server),
            *(NamedSubject(subject=subject, client=client) for subject in claims.subjects),
        ),
        ui_locales=_languages(parameters, "ui_locales"),
        acr_values=tuple(parameters.get("acr_values", "").split()) or client.default_acr_values,
        required_acr=claims.required_acr,
        claims=reached,
        claims_scope=scope_of_claims(reached, client, server),
        parameters=parameters,
        resumption=asked.resumption,
    )


def _prompt(parameters: Parameters) -> frozenset[str]:
    prompt = frozenset(parameters.get("prompt", "").split())
    if not prompt <= PROMPTS:
        raise InvalidRequest(f"prompt must be of: {', '.join(sorted(PROMPTS))}")
    # "If this parameter contains none with any other value, an error is returned" (OpenID Connect Core §3.1.2.1).
    if "none" in prompt and len(prompt) > 1:
        raise InvalidRequest("prompt=none cannot be combined with other values")
    return prompt


def _max_age(parameters: Parameters, client: Client) -> int | None:
    text = parameters.get("max_age")
    # "The max_age request parameter overrides this default value" (OpenID Connect Dynamic Client Registration §2).
    if text is None:
        return client.default_max_age
    if not (text.isascii() and text.isdigit() and len(text) <= 10):  # noqa: PLR2004 - three centuries
        raise InvalidRequest("max_age must be a number of seconds")
    return int(text)


async def _hinted(parameters: Parameters, client: Client, server: AuthorizationServer) -> tuple[NamedSubject, ...]:
    text = parameters.get("id_token_hint")
    if text is None:
        return ()
    hint = read_id_token_hint(text, server)
    if hint is None:
        raise InvalidRequest("id_token_hint is not an ID token of this server")
    # "The Authorization Server need not be listed as an audience of the ID Token" (OpenID Connect Core §3.1.2.1), nor
    # need its client be the one that asks.
    told = client if hint.client_id == client.client_id else await server.store.client(hint.client_id)
    return (NamedSubject(subject=hint.subject, client=told or client),)


def _claims(parameters: Parameters, scope: Scope) -> ClaimsParameter:
    text = parameters.get("claims")
    # They are OpenID Connect's, and nothing without it.
    if OPENID not in scope:
        return ClaimsParameter(requested=RequestedClaims())
    read = read_claims_parameter("{}" if text is None else text)
    locales = _languages(parameters, "claims_locales")
    return replace(read, requested=replace(read.requested, locales=locales))


def _languages(parameters: Parameters, name: str) -> tuple[str, ...]:
    # "An error SHOULD NOT result if some or all of the requested locales are not supported" (§3.1.2.1, §5.2).
    tags = parameters.get(name, "").split()
    return tuple(tag for tag in tags if _LANGUAGE.fullmatch(tag))[:MOST_LANGUAGES]
