"""The table of an issuer whose assertions are taken as grants."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from everbearer.oauth.trusted_issuers import SubjectIs, TrustedIssuer
from everbearer.server.config.section import Seconds, Section

_longest = TrustedIssuer(issuer="").longest


class TrustedIssuerSection(Section, frozen=True, kw_only=True):
    """Somebody whose signed word is good for tokens (RFC 7523), for clients with the grant type `…:jwt-bearer`.

    Another identity provider, a build system, a cluster: whoever holds its key is believed as far as its table reaches.
    """

    issuer: Annotated[str, Meta(min_length=1, description="The `iss` of its assertions; compared exactly.")]
    jwks_uri: Annotated[
        str,
        Meta(
            description="Where it publishes its public keys: https, with an address that is not private (see "
            "`fetch_from_private_addresses`)."
        ),
    ] = ""
    jwks: Annotated[
        str, Meta(description="Its public keys themselves, instead of `jwks_uri`: a JWK Set in JSON, as text.")
    ] = ""
    subject: Annotated[
        Literal["subject", "login", "external"],
        Meta(
            description="Whom it speaks for. `subject`: a user here, by the subject. `login`: a user here, by what the "
            "user types to sign in. `external`: whoever it names, as `prefix` and that name; such tokens are of no "
            "user here, and end with their time."
        ),
    ] = "subject"
    claim: Annotated[
        str,
        Meta(
            min_length=1,
            description="The claim that names the user. Of `email` it must say that it is verified (`email_verified`).",
        ),
    ] = "sub"
    prefix: Annotated[
        str | None,
        Meta(
            description="What stands before external subjects; `none`: the issuer and `#`, so that none is taken for a "
            "user of this server."
        ),
    ] = None
    subjects: Annotated[
        tuple[str, ...],
        Meta(
            description="Whom it may speak for, by `sub`: each exactly, or with `*` for any characters. All where "
            "empty, which external subjects may not be."
        ),
    ] = ()
    clients: Annotated[
        tuple[str, ...], Meta(description="Who may bring its assertions; every client with this grant where empty.")
    ] = ()
    scope: Annotated[
        str, Meta(description="All that comes of it, separated by spaces, as far as the client may have it.")
    ] = ""
    longest: Annotated[
        Seconds, Meta(ge=1, description="How far ahead the `exp` of an assertion may be. Each is good once.")
    ] = _longest

    @property
    def external(self) -> bool:
        """Return whether it speaks for others than users of this server."""
        return self.subject == "external"

    def trusted(self) -> TrustedIssuer:
        """Return the protocol's."""
        return TrustedIssuer(
            issuer=self.issuer,
            jwks=self.jwks,
            jwks_uri=self.jwks_uri,
            subject_is=SubjectIs.EXTERNAL if self.external else SubjectIs.USER,
            prefix=self.prefix,
            subjects=self.subjects,
            clients=self.clients,
            scope=tuple(self.scope.split()),
            longest=self.longest,
        )
