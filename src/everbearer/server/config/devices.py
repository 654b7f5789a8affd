"""The table that says how devices without a browser are let in."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from everbearer.login.user_code_limits import UserCodeLimits
from everbearer.server.config.section import Seconds, Section

_limits = UserCodeLimits()


class DevicesSection(Section, frozen=True, kw_only=True):
    """How devices without a browser are let in (RFC 8628), by clients with that grant type.

    Their codes live as long as `lifetimes.device_code` says.
    """

    polling_interval: Annotated[
        int,
        Meta(
            ge=1,
            le=60,
            description="How many seconds a device is to wait between two polls; five more each time it does not.",
        ),
    ] = 5
    window: Annotated[Seconds, Meta(ge=1, description="The time in which the following are counted.")] = _limits.window
    codes_per_user: Annotated[int, Meta(ge=1, description="User codes that one user may try, right ones too.")] = (
        _limits.per_user
    )
    codes_per_address: Annotated[int, Meta(ge=1, description="User codes that may be tried from one address.")] = (
        _limits.per_address
    )
    requests_per_address: Annotated[
        int, Meta(ge=1, description="Devices that may ask from one address; more for a fleet behind one.")
    ] = 100
