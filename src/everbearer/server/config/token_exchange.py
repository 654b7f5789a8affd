"""The table of a client that says which tokens it may exchange."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from everbearer.server.config.section import Section


class TokenExchangeSection(Section, frozen=True, kw_only=True):
    """Which tokens a client may exchange (RFC 8693)."""

    subject_clients: Annotated[
        tuple[str, ...],
        Meta(
            description="The clients whose tokens it may bring, besides its own and those whose `aud` it is, or a "
            "resource that it `introspects`."
        ),
    ] = ()
    audiences: Annotated[
        tuple[str, ...],
        Meta(
            description="What it may ask tokens for, by `audience` or `resource`, besides its `resources`; each is "
            "compared exactly."
        ),
    ] = ()
    impersonate: Annotated[
        bool,
        Meta(description="The new tokens leave out (`act`) that it acts for their subject; the audit trail keeps it."),
    ] = False
