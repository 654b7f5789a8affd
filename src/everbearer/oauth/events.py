"""Events: what the audit trail keeps and what an application may listen to. They never hold a token, code or secret."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from everbearer.oauth.models import Ended, Everything


class EventKind(StrEnum):
    """What happened."""

    GRANT_CREATED = "grant_created"
    """A user's access was granted to a client. `details` has the `scope`."""
    GRANT_ENDED = "grant_ended"
    """`details` has the `reason`, a word of `EndReason`: reused, expired, revoked and so on."""
    AUTHORIZATION_REFUSED = "authorization_refused"
    """For listeners: an authorization request was refused, by the user or by us. `details` has the `error`, and our
    `reason` for it where there is one."""
    TOKEN_ISSUED = "token_issued"
    """For listeners: a grant other than a refresh answered with tokens, or the authorization endpoint with an access
    token (`implicit`). `details` has the `grant_type` and `scope`."""
    ALL_ENDED = "all_ended"
    """All grants of a user, client, consent or session were ended by one row."""
    TOKEN_REFRESHED = "token_refreshed"
    """For listeners; the grant's own history keeps it. `details` has the `happening`, a word of `Happening`."""
    TOKEN_EXCHANGED = "token_exchanged"
    """For listeners; the audit trail keeps those that nobody is told of (impersonation). `details` has the client that
    the subject's token was issued to, who acts, and the audience."""
    INVALID_GRANT = "invalid_grant"
    """For listeners: a code or refresh token was refused. `details` has the `grant_type` and the `reason`."""
    CLIENT_AUTHENTICATION_FAILED = "client_authentication_failed"
    CLIENT_KEYS_UNUSABLE = "client_keys_unusable"
    """For listeners: nothing can be encrypted to a client. `details` has the `reason`."""
    SIGNED_IN = "signed_in"
    SIGN_IN_FAILED = "sign_in_failed"
    SIGNED_OUT = "signed_out"
    LOGOUT_TOKEN_DELIVERED = "logout_token_delivered"
    """A client took it that a session has ended. `details` has the `session`, the `attempt` and the `status`."""
    LOGOUT_TOKEN_FAILED = "logout_token_failed"
    """It could not be told, and will be tried again. `details` has the `session`, the `attempt` and the `problem`."""
    LOGOUT_TOKEN_REFUSED = "logout_token_refused"
    """It answered that it would not, and is not asked again. `details` as before."""
    LOGOUT_TOKEN_GIVEN_UP = "logout_token_given_up"
    """It could not be told however often that was tried, or does not want to be any more. `details` as before."""
    CONSENT_GIVEN = "consent_given"
    CONSENT_WITHDRAWN = "consent_withdrawn"
    DEVICE_DENIED = "device_denied"
    """The user of a device code said no."""
    USER_CREATED = "user_created"
    USER_CHANGED = "user_changed"
    USER_DELETED = "user_deleted"
    CLIENT_CREATED = "client_created"
    CLIENT_CHANGED = "client_changed"
    CLIENT_DELETED = "client_deleted"
    INITIAL_ACCESS_TOKEN_CREATED = "initial_access_token_created"
    INITIAL_ACCESS_TOKEN_REVOKED = "initial_access_token_revoked"
    KEY_CREATED = "key_created"
    KEY_RETIRED = "key_retired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened, for the audit trail and for listeners."""

    kind: EventKind
    at: int
    actor: str = ""
    grant_id: str = ""
    client_id: str = ""
    subject: str = ""
    address: str = ""
    agent: str = ""
    details: Mapping[str, str] = field(default_factory=dict[str, str])


EVERY_KIND = frozenset(EventKind)


def grant_ended(grant_id: str, client_id: str, subject: str, ended: Ended) -> Event:
    """Return the event that tells of one grant's end."""
    return Event(
        kind=EventKind.GRANT_ENDED,
        at=ended.at,
        actor=ended.actor,
        grant_id=grant_id,
        client_id=client_id,
        subject=subject,
        details={"reason": ended.reason},
    )


def all_ended(everything: Everything, key: str, ended: Ended, *, subject: str = "") -> Event:
    """Return the event that tells of the end of all; `subject` is whose session it was, where it was one."""
    client_id = ""
    if everything is Everything.USER:
        subject = key
    elif everything is Everything.CLIENT:
        client_id = key
    elif everything is Everything.CONSENT:
        subject, _, client_id = key.partition(" ")
    return Event(
        kind=EventKind.ALL_ENDED,
        at=ended.at,
        actor=ended.actor,
        client_id=client_id,
        subject=subject,
        details={"reason": ended.reason, "everything": everything, "key": key},
    )


def consent_withdrawn(subject: str, client_id: str, ended: Ended) -> Event:
    """Return the event that tells of a withdrawn consent."""
    return Event(
        kind=EventKind.CONSENT_WITHDRAWN,
        at=ended.at,
        actor=ended.actor,
        client_id=client_id,
        subject=subject,
        details={"reason": ended.reason},
    )
