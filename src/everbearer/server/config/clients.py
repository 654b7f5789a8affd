"""The table of a client."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

from everbearer.server.config.lifetimes import LifetimesSection, RotationSection
from everbearer.server.config.section import Alg, ContentEncryption, FilePath, KeyEncryption, Seconds, Section
from everbearer.server.config.token_exchange import TokenExchangeSection

GrantType: TypeAlias = Literal[
    "authorization_code",
    "implicit",
    "refresh_token",
    "client_credentials",
    "urn:ietf:params:oauth:grant-type:device_code",
    "urn:ietf:params:oauth:grant-type:token-exchange",
    "urn:ietf:params:oauth:grant-type:jwt-bearer",
    "password",
]
ResponseType: TypeAlias = Literal[
    "code", "none", "id_token", "id_token token", "code id_token", "code token", "code id_token token"
]
ClientType: TypeAlias = Literal["spa", "native", "web", "machine"]


class ClientSection(Section, frozen=True, kw_only=True):
    """An application, declared. It is created or updated at start; taking it out of the file deletes nothing."""

    client_id: Annotated[str, Meta(min_length=1, description="Its public name on the wire.")]
    type: Annotated[
        ClientType,
        Meta(
            description="`spa` and `native`: public, PKCE required, refresh tokens rotate. `web`: confidential, PKCE "
            "or a nonce required, no rotation by default. `machine`: `client_credentials` only."
        ),
    ]
    client_name: Annotated[str, Meta(description="What users see; the client id where it is empty.")] = ""
    client_secret: Annotated[
        str,
        Meta(
            description="Its secret: 43 random characters are best, fewer than 32 are warned of, fewer than 16 refused."
        ),
    ] = ""
    client_secret_file: Annotated[
        FilePath, Meta(description="A file with its secret or secrets, newest first, one a line.")
    ] = ""
    client_secrets: Annotated[tuple[str, ...], Meta(description="Several secrets, newest first.")] = ()
    token_endpoint_auth_method: Annotated[
        Literal["client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt"] | None,
        Meta(
            description="The only way it may prove who it is; `none`: it sends its secret, by HTTP Basic or in the "
            "body. For `client_secret_jwt` the secret is stored sealed; with `private_key_jwt` there is none, but a "
            "key of the client's own."
        ),
    ] = None
    token_endpoint_auth_signing_alg: Annotated[
        Alg | Literal["Ed25519", "HS256"] | None,
        Meta(
            description="The only algorithm that its assertions may be signed with: `HS256` for `client_secret_jwt`, "
            "another for `private_key_jwt`; `none`: any of them that fits its keys."
        ),
    ] = None
    jwks_uri: Annotated[
        str,
        Meta(
            description="Where it publishes its public keys, for what it signs and for what is encrypted to it: https, "
            "with an address that is not private (see `fetch_from_private_addresses`)."
        ),
    ] = ""
    jwks: Annotated[
        str, Meta(description="Its public keys themselves, instead of `jwks_uri`: a JWK Set in JSON, as text.")
    ] = ""
    redirect_uris: Annotated[
        tuple[str, ...], Meta(description="Where users may be sent back to; compared exactly.")
    ] = ()
    post_logout_redirect_uris: Annotated[
        tuple[str, ...], Meta(description="Where users may be sent after signing out; compared exactly.")
    ] = ()
    backchannel_logout_uri: Annotated[
        str,
        Meta(
            description="Where it is sent a logout token when a session that signed in to it ends: https, with an "
            "address that is not private (see `fetch_from_private_addresses`)."
        ),
    ] = ""
    backchannel_logout_session_required: Annotated[
        bool, Meta(description="It needs `sid` in logout tokens. All of them have it.")
    ] = False
    frontchannel_logout_uri: Annotated[
        str,
        Meta(
            description="What the browser loads in a hidden frame when it is signed out: of the same origin as one of "
            "its redirect URIs."
        ),
    ] = ""
    frontchannel_logout_session_required: Annotated[
        bool, Meta(description="Add `iss` and `sid` to `frontchannel_logout_uri`.")
    ] = False
    grant_types: Annotated[
        tuple[GrantType, ...] | None,
        Meta(description="How it may get tokens; `none`: what its type and `response_types` need."),
    ] = None
    response_types: Annotated[
        tuple[ResponseType, ...],
        Meta(
            min_length=1,
            description="What it may ask the authorization endpoint for, beside `none`. Those with `id_token` or "
            "`token` send tokens by way of the browser; `config check` says what that weakens.",
        ),
    ] = ("code",)
    scope: Annotated[
        str | None,
        Meta(
            description="All it may ask for, separated by spaces; `none`: all standard scopes, for a machine nothing."
        ),
    ] = None
    subject_type: Annotated[
        Literal["public", "pairwise"],
        Meta(
            description="`public`: every application knows a user by the same `sub`. `pairwise`: each sector by "
            "another, so that applications cannot compare users. A change changes every `sub` that it knows."
        ),
    ] = "public"
    sector_identifier: Annotated[
        str,
        Meta(
            description="The host that pairwise subjects are made for, common to applications that are to know users "
            "by the same `sub`; the host of its redirect URIs where empty."
        ),
    ] = ""
    claims: Annotated[
        dict[str, tuple[str, ...]],
        Meta(
            description="What scopes give this application, where that is not what `[claims]` and the standard say: a "
            'table such as `{ profile = ["name", "picture"] }`, with all the claims of each scope in it.'
        ),
    ] = msgspec.field(default_factory=dict[str, tuple[str, ...]])
    id_token_claims: Annotated[
        tuple[str, ...],
        Meta(
            description="Claims that stand in its ID tokens too, and not at userinfo alone, where the scope that was "
            "granted gives them."
        ),
    ] = ()
    first_party: Annotated[bool, Meta(description="The operator's own: no consent page, all claims at userinfo.")] = (
        False
    )
    require_pkce: Annotated[
        bool | None,
        Meta(
            description="`true`: no code without PKCE. `none`: the same, but a client of type `web` may send a `nonce` "
            "in an OpenID request instead. `false`: a client of type `web` needs neither."
        ),
    ] = None
    remember_consent: Annotated[
        bool, Meta(description="Ask a user once, and not at each authorization request; only for third parties.")
    ] = True
    default_max_age: Annotated[
        Seconds | None,
        Meta(description="How old a sign-in may be where its requests have no `max_age`; `none`: as old as a session."),
    ] = None
    request_object_signing_alg: Annotated[
        Alg | Literal["", "Ed25519", "HS256", "none"],
        Meta(
            description="The only algorithm that its request objects may have; any that fits its keys where empty. "
            "`HS256` is for `client_secret_jwt`; `none` lets it send unsigned ones, and `config check` says what that "
            "weakens."
        ),
    ] = ""
    require_signed_request_object: Annotated[
        bool, Meta(description="Refuse its authorization requests without a signed request object (RFC 9101).")
    ] = False
    request_uris: Annotated[
        tuple[str, ...],
        Meta(
            description="Where its request objects may stand, compared exactly but for the hash after a `#`: https, "
            "with an address that is not private (see `fetch_from_private_addresses`)."
        ),
    ] = ()
    require_auth_time: Annotated[
        bool,
        Meta(description="Its ID tokens must have `auth_time`. All do; this is what a client may have registered."),
    ] = False
    default_acr_values: Annotated[
        tuple[str, ...], Meta(description="What it wishes of a sign-in where its requests have no `acr_values`.")
    ] = ()
    access_token_format: Annotated[
        Literal["jwt", "opaque"],
        Meta(description="`jwt` (RFC 9068): anyone can verify it. `opaque`: ends at once with its grant."),
    ] = "jwt"
    access_token_signing_alg: Annotated[Alg, Meta(description="How its JWT access tokens are signed.")] = "ES256"
    id_token_signed_response_alg: Annotated[Alg, Meta(description="How its ID tokens are signed.")] = "ES256"
    id_token_encrypted_response_alg: Annotated[
        KeyEncryption | None,
        Meta(description="How its ID tokens are encrypted to a key in its `jwks` or at its `jwks_uri`; `none`: not."),
    ] = None
    id_token_encrypted_response_enc: Annotated[
        ContentEncryption | None,
        Meta(description="How their content is encrypted; `none`: `A128CBC-HS256` where they are encrypted at all."),
    ] = None
    userinfo_signed_response_alg: Annotated[
        Alg | None, Meta(description="How userinfo is signed for it, as a JWT; `none`: it is JSON.")
    ] = None
    userinfo_encrypted_response_alg: Annotated[
        KeyEncryption | None, Meta(description="How userinfo is encrypted to a key of its own; `none`: not.")
    ] = None
    userinfo_encrypted_response_enc: Annotated[
        ContentEncryption | None,
        Meta(description="How its content is encrypted; `none`: `A128CBC-HS256` where it is encrypted at all."),
    ] = None
    introspection_signed_response_alg: Annotated[
        Alg | None,
        Meta(description="How introspection is signed for it where it asks for a JWT (RFC 9701); `none`: `RS256`."),
    ] = None
    introspection_encrypted_response_alg: Annotated[
        KeyEncryption | None, Meta(description="How such a JWT is encrypted to a key of its own; `none`: not.")
    ] = None
    introspection_encrypted_response_enc: Annotated[
        ContentEncryption | None,
        Meta(description="How its content is encrypted; `none`: `A128CBC-HS256` where it is encrypted at all."),
    ] = None
    audience: Annotated[str, Meta(description="The `aud` of its JWT access tokens; the issuer where empty.")] = ""
    resources: Annotated[
        tuple[str, ...],
        Meta(
            description="The `[[resources]]` that it may ask access tokens for, by their identifiers, besides those "
            "that all may ask for."
        ),
    ] = ()
    introspects: Annotated[
        tuple[str, ...],
        Meta(description="It is the server of these `[[resources]]`: introspection shows it the tokens for them."),
    ] = ()
    introspects_all: Annotated[
        bool, Meta(description="It is a resource server: introspection shows it every token.")
    ] = False
    lifetimes: Annotated[LifetimesSection, Meta(description="Overrides of `[lifetimes]`.")] = LifetimesSection()
    rotation: Annotated[RotationSection, Meta(description="Overrides of `[rotation]`.")] = RotationSection()
    token_exchange: Annotated[
        TokenExchangeSection,
        Meta(
            description="Which tokens it may exchange, in a table: `subject_clients`, the clients whose tokens it may "
            "bring besides its own and those that are for it; `audiences`, what it may ask tokens for besides its "
            "`resources`; `impersonate`, whether the new tokens leave out (`act`) that it acts for their subject."
        ),
    ] = TokenExchangeSection()
    client_uri: Annotated[str, Meta(description="Its home page.")] = ""
    logo_uri: Annotated[str, Meta(description="Its logo.")] = ""
    policy_uri: Annotated[str, Meta(description="Its privacy policy.")] = ""
    tos_uri: Annotated[str, Meta(description="Its terms of service.")] = ""
    initiate_login_uri: Annotated[
        str,
        Meta(
            description="Where a browser is sent that is to be signed in by it (OpenID Connect Core §4), by https: the "
            "account page then has a button that opens it."
        ),
    ] = ""

    def __repr__(self) -> str:
        return f"ClientSection(client_id={self.client_id!r})"
