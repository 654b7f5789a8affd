"""Session ids as clients know them: `sid` (OpenID Connect Front-Channel Logout 1.0 §3, Back-Channel Logout 1.0)."""

from __future__ import annotations

import hmac
from hashlib import sha256

from everbearer.oauth.encoding import base64url

_LENGTH = 16
"""Bytes. "Collisions between Session IDs and the guessing of their values by attackers are prevented by including
sufficient entropy in Session ID values" (Front-Channel Logout §5)."""


def sid_for(client_id: str, session_id: str) -> str:
    """Return the `sid` by which a client knows a session: the same as long as the session lasts, and never another's.

    It is a hash that the session's own id is the key of, which nobody but this server knows: clients that compare
    what they were told cannot tell that a user was in one browser, and a change of the server's secret changes none.
    """
    return base64url(hmac.digest(session_id.encode(), f"sid\n{client_id}".encode(), sha256)[:_LENGTH])
