"""The table of a protected resource."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from everbearer.oauth.client import AccessTokenFormat
from everbearer.oauth.resource import Resource
from everbearer.server.config.section import Alg, Seconds, Section


class ResourceSection(Section, frozen=True, kw_only=True):
    """An API that applications ask access tokens for, by `resource` (RFC 8707): those that list it, or all."""

    resource: Annotated[
        str,
        Meta(
            min_length=1,
            description="Its identifier: an absolute URI without a fragment, best the https address that all of the "
            "API is below. It is the `aud` of its tokens.",
        ),
    ]
    resource_name: Annotated[str, Meta(description="What users see; the identifier where it is empty.")] = ""
    scopes_supported: Annotated[
        tuple[str, ...],
        Meta(description="The scopes that its tokens carry, of those that were granted; all where none are named."),
    ] = ()
    any_client: Annotated[
        bool, Meta(description="Every client may ask for it, and the metadata of this server lists it.")
    ] = False
    access_token_lifetime: Annotated[
        Seconds | None,
        Meta(description="How long its tokens live; `none`: as long as the application's others."),
    ] = None
    access_token_format: Annotated[
        Literal["jwt", "opaque"] | None,
        Meta(description="What its tokens are, whatever the application has otherwise; `none`: what it has."),
    ] = None
    access_token_signing_alg: Annotated[
        Alg | None, Meta(description="How its JWT tokens are signed; `none`: like the application's others.")
    ] = None


def resource_of(section: ResourceSection) -> Resource:
    """Return the protocol's resource."""
    return Resource(
        resource=section.resource,
        resource_name=section.resource_name,
        scopes_supported=section.scopes_supported,
        any_client=section.any_client,
        access_token_lifetime=section.access_token_lifetime,
        access_token_format=AccessTokenFormat(section.access_token_format) if section.access_token_format else None,
        access_token_signing_alg=section.access_token_signing_alg,
    )
