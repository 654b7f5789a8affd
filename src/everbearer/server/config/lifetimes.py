"""The tables that say how long what is issued lasts, and what a refresh does."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from everbearer.oauth.client import Lifetimes, RotationPolicy
from everbearer.oauth.lifetime_rules import MOST_JITTER
from everbearer.server.config.section import Seconds, Section

_lifetimes = Lifetimes()
_rotation = RotationPolicy()


class LifetimesSection(Section, frozen=True, kw_only=True):
    """How long what is issued lasts, for all clients whose own `lifetimes` table does not say otherwise."""

    access_token: Annotated[Seconds, Meta(description="An access token.")] = _lifetimes.access_token
    access_token_by_grant: Annotated[
        dict[str, Seconds],
        Meta(
            description="Access tokens that come of single grants, by `grant_type`, where they live otherwise: a table "
            'such as `{ client_credentials = "1h", refresh_token = "15m" }`; `implicit` for those that go by way of '
            "the browser."
        ),
    ] = msgspec.field(default_factory=dict[str, int])
    access_token_jitter: Annotated[
        float,
        Meta(
            ge=0,
            le=MOST_JITTER,
            description="Each access token lives shorter by a random part of this share of its life, so that clients "
            "that refreshed together do not come again together.",
        ),
    ] = _lifetimes.access_token_jitter
    refresh_token: Annotated[
        Seconds, Meta(description="From sign-in to the end of access, however often it is refreshed.")
    ] = _lifetimes.refresh_token
    refresh_token_idle: Annotated[
        Seconds | None, Meta(description="From the last refresh to the end of access; `none` for no such limit.")
    ] = _lifetimes.refresh_token_idle
    id_token: Annotated[Seconds, Meta(description="An ID token.")] = _lifetimes.id_token
    authorization_code: Annotated[
        Seconds, Meta(description="An authorization code, at most 10 minutes (RFC 6749 §4.1.2).")
    ] = _lifetimes.authorization_code
    device_code: Annotated[
        Seconds, Meta(description="The codes of a device, until its user has said yes or no; at most 30 minutes.")
    ] = _lifetimes.device_code


class RotationSection(Section, frozen=True, kw_only=True):
    """What a refresh does to the refresh token, and how long its answer may be asked for again.

    For all clients whose own `rotation` table does not say otherwise.
    """

    rotate: Annotated[
        bool | None,
        Meta(description="Issue a new refresh token at each refresh; `none`: for clients without a secret only."),
    ] = _rotation.rotate
    retry_window: Annotated[
        Seconds | None,
        Meta(
            description="How long the newest spent refresh token is answered again with the same successor; "
            "`none`: until the successor is used; `0`: never (strict single use)."
        ),
    ] = _rotation.retry_window
    late_after: Annotated[Seconds, Meta(description="After how long a retry counts as late.")] = _rotation.late_after
    late_limit: Annotated[
        int | None,
        Meta(
            description="Late retries in this many generations in a row end the grant of a client without a secret "
            "as theft; `none`: no limit."
        ),
    ] = _rotation.late_limit
    retry_limit: Annotated[
        int, Meta(description="How many retries one generation may have; more are refused, the grant lives.")
    ] = _rotation.retry_limit
    arrival_after: Annotated[
        Seconds,
        Meta(
            description="After how long the use of a new access token, at userinfo or introspection, proves that the "
            "answer it came in arrived, so that the refresh token before is answered no more. More than a minute, for "
            "browsers throttle the timers of background tabs."
        ),
    ] = _rotation.arrival_after
