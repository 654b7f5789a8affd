"""Why a grant ended, in words: for a client's developer, and as a page for everybody."""

from __future__ import annotations

from collections.abc import Mapping

from everbearer.oauth.models import EndReason

DESCRIPTIONS: Mapping[EndReason, str] = {
    EndReason.EXPIRED_IDLE: "the refresh token was not used for too long and has expired",
    EndReason.EXPIRED_ABSOLUTE: "the sign-in is too long ago; its refresh tokens have expired",
    EndReason.REUSED: "a refresh token that was already used came again; to be safe, its grant was ended",
    EndReason.LATE_RETRIES: "spent refresh tokens kept coming again late; to be safe, their grant was ended",
    EndReason.CODE_REPLAYED: "a code or an assertion was used twice; what it gave was revoked",
    EndReason.CODE_EXPIRED: "the authorization code was not redeemed in time",
    EndReason.REVOKED_BY_CLIENT: "the client revoked this grant",
    EndReason.REVOKED_BY_USER: "the user revoked this grant",
    EndReason.REVOKED_BY_ADMIN: "an administrator revoked this grant",
    EndReason.SIGNED_OUT: "the user signed out",
    EndReason.SESSION_EXPIRED: "the browser session in which the user had signed in has expired",
    EndReason.PASSWORD_CHANGED: "the user's password was changed",
    EndReason.USER_DISABLED: "the user was disabled",
    EndReason.USER_DELETED: "the user was deleted",
    EndReason.CLIENT_DISABLED: "the client was disabled",
    EndReason.CLIENT_DELETED: "the client was deleted",
    EndReason.CONSENT_WITHDRAWN: "the user withdrew the consent",
}
"""One sentence a reason, in the characters that `error_description` may have."""


def explanation_uri(base: str, reason: EndReason) -> str:
    """Return the page that explains a reason: what `error_uri` leads to."""
    return f"{base}/ended/{reason}"
