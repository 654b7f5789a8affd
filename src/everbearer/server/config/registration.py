"""The table that says whether and how clients register themselves."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from everbearer.oauth.models import DAY, HOUR
from everbearer.server.config.clients import GrantType
from everbearer.server.config.lifetimes import LifetimesSection, RotationSection
from everbearer.server.config.section import Seconds, Section

AuthMethodName = Literal["client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt", "none"]


class StatementIssuerSection(Section, frozen=True, kw_only=True):
    """Somebody whose software statements are believed (RFC 7591 §2.3): what they say of a client, it is."""

    issuer: Annotated[str, Meta(description="The `iss` of its statements.")] = ""
    jwks_uri: Annotated[
        str, Meta(description="Where it publishes its public keys: https, with an address that is not private.")
    ] = ""
    jwks: Annotated[
        str, Meta(description="Its public keys themselves, instead of `jwks_uri`: a JWK Set in JSON, as text.")
    ] = ""


class RegistrationSection(Section, frozen=True, kw_only=True):
    """Clients that register themselves (RFC 7591), and what they may be.

    They are third parties whatever they say: users are told that nobody has checked who they are, and are asked for
    consent each time. See [Client registration](client-registration.md).
    """

    mode: Annotated[
        Literal["off", "token", "open"],
        Meta(
            description="`off`: nobody. `token`: who has an initial access token, made by `everbearer registration "
            "token create`. `open`: anybody who reaches the server."
        ),
    ] = "off"
    scope: Annotated[
        str | None,
        Meta(
            description="All that such a client may ask for, separated by spaces, and what it gets where it names "
            "nothing; `none`: all standard scopes."
        ),
    ] = None
    grant_types: Annotated[tuple[GrantType, ...], Meta(min_length=1, description="How it may get tokens.")] = (
        "authorization_code",
        "refresh_token",
    )
    token_endpoint_auth_methods: Annotated[
        tuple[AuthMethodName, ...], Meta(min_length=1, description="How it may prove who it is.")
    ] = ("client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt", "none")
    redirect_hosts: Annotated[
        tuple[str, ...],
        Meta(
            description="The hosts that its https redirect URIs may be of, and `initiate_login_uri`: "
            "`app.example.com`, or `*.example.com` for all below it; any where empty."
        ),
    ] = ()
    loopback: Annotated[
        bool, Meta(description="Whether it may be a program on the user's machine, at `http://127.0.0.1` and the like.")
    ] = True
    app_schemes: Annotated[
        bool, Meta(description="Whether it may be an application with a URI scheme of its own, `com.example.app:/`.")
    ] = True
    require_pkce: Annotated[
        bool | None,
        Meta(
            description="Refuse its authorization requests without PKCE, also where it has a secret; `none`: yes, "
            "unless the [profile](profiles.md) lets clients do without."
        ),
    ] = None
    remember_consent: Annotated[bool, Meta(description="Ask a user once, and not at each authorization request.")] = (
        False
    )
    most_clients: Annotated[int | None, Meta(description="How many such clients there may be; `none`: any number.")] = (
        10_000
    )
    unused_after: Annotated[
        Seconds | None,
        Meta(
            description="A client of which no grant has lived for so long is removed within a day; `none`: none is.",
        ),
    ] = 30 * DAY
    per_address: Annotated[
        int, Meta(ge=1, description="How many clients may register from one network address without a token.")
    ] = 20
    window: Annotated[Seconds, Meta(ge=1, description="The time in which these are counted.")] = HOUR
    statement_issuers: Annotated[
        tuple[StatementIssuerSection, ...], Meta(description="Whose software statements are believed.")
    ] = ()
    require_software_statement: Annotated[
        bool, Meta(description="Refuse clients that come without a software statement of one of them.")
    ] = False
    lifetimes: Annotated[LifetimesSection, Meta(description="Overrides of `[lifetimes]` for such clients.")] = (
        LifetimesSection()
    )
    rotation: Annotated[RotationSection, Meta(description="Overrides of `[rotation]` for such clients.")] = (
        RotationSection()
    )
