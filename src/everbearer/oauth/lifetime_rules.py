"""Lifetimes and rotation policies that contradict themselves or a specification (RFC 6749, RFC 9700)."""

from __future__ import annotations

from collections.abc import Iterator

from everbearer.oauth.client import REFRESH_TOKEN, Client, Lifetimes, RotationPolicy
from everbearer.oauth.models import MINUTE

LONGEST_CODE_LIFETIME = 10 * MINUTE
"""RFC 6749 §4.1.2."""
LONGEST_DEVICE_CODE_LIFETIME = 30 * MINUTE
"""A user code is short: the longer it lives, the more there are to guess at."""
MOST_JITTER = 0.5
"""More would give access tokens of a life that nobody has set."""

_SECONDS = ("access_token", "refresh_token", "refresh_token_idle", "id_token", "authorization_code", "device_code")
"""The lifetimes that are one number."""
_LEAST = {"retry_window": 0, "late_after": 0, "late_limit": 1, "retry_limit": 1, "arrival_after": 0}
"""The least that each number of a rotation policy may be."""


def lifetime_problems(lifetimes: Lifetimes, *, refreshes: bool = True) -> tuple[str, ...]:
    """Return what is wrong with lifetimes, a sentence each; with `refreshes`, those of a client with refresh tokens."""
    return tuple(_lifetimes(lifetimes, refreshes=refreshes))


def rotation_problems(policy: RotationPolicy) -> tuple[str, ...]:
    """Return what contradicts itself in a policy, whoever takes it."""
    return tuple(_retries(policy))


def client_rotation_problems(client: Client) -> tuple[str, ...]:
    """Return what is wrong with the rotation policy of a client."""
    return tuple(_rotation(client))


def _lifetimes(lifetimes: Lifetimes, *, refreshes: bool) -> Iterator[str]:
    for name, value in _each(lifetimes):
        if value is not None and value <= 0:
            yield f"lifetimes.{name} is {value}: it must be at least 1 second"
    if not 0 <= lifetimes.access_token_jitter <= MOST_JITTER:
        yield f"lifetimes.access_token_jitter is {lifetimes.access_token_jitter:g}: it must be from 0 to {MOST_JITTER}"
    if lifetimes.authorization_code > LONGEST_CODE_LIFETIME:
        yield (
            f"lifetimes.authorization_code is {lifetimes.authorization_code} seconds: "
            f"at most {LONGEST_CODE_LIFETIME} are allowed (RFC 6749 §4.1.2)"
        )
    if lifetimes.device_code > LONGEST_DEVICE_CODE_LIFETIME:
        yield (
            f"lifetimes.device_code is {lifetimes.device_code} seconds: at most {LONGEST_DEVICE_CODE_LIFETIME} are "
            "allowed, for its user code can be guessed at as long"
        )
    if refreshes:
        yield from _refresh_lifetimes(lifetimes)


def _each(lifetimes: Lifetimes) -> Iterator[tuple[str, int | None]]:
    for name in _SECONDS:
        yield name, getattr(lifetimes, name)
    for grant_type, value in lifetimes.access_token_by_grant.items():
        yield f"access_token_by_grant.{grant_type}", value


def _refresh_lifetimes(lifetimes: Lifetimes) -> Iterator[str]:
    idle, access_token = lifetimes.refresh_token_idle, lifetimes.access_token_of(REFRESH_TOKEN)
    if access_token > lifetimes.refresh_token:
        yield (
            f"lifetimes.access_token ({access_token} s) is longer than lifetimes.refresh_token "
            f"({lifetimes.refresh_token} s): shorten the first or lengthen the second"
        )
    if idle is not None and idle > lifetimes.refresh_token:
        yield (
            f"lifetimes.refresh_token_idle ({idle} s) is longer than lifetimes.refresh_token "
            f"({lifetimes.refresh_token} s) and would never count: shorten the first or lengthen the second"
        )
    if idle is not None and idle < access_token <= lifetimes.refresh_token:
        yield (
            f"lifetimes.refresh_token_idle ({idle} s) is shorter than lifetimes.access_token "
            f"({access_token} s): users at work would be signed out between two "
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
