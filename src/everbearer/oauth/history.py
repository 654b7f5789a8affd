"""What happened to a grant lately: a short ring inside its row, written by the same statement as the spend."""

from __future__ import annotations

from dataclasses import replace

from everbearer.oauth.messages import Request
from everbearer.oauth.models import HISTORY_LENGTH, Grant, Happening, HistoryEntry


def add_to_history(grant: Grant, happening: Happening, request: Request, now: int) -> Grant:
    """Return the grant with one more entry; the oldest falls out when the ring is full."""
    entry = HistoryEntry(
        at=now,
        happening=happening,
        generation=grant.generation,
        address=request.remote_address,
        agent=request.user_agent,
    )
    return replace(grant, history=(*grant.history, entry)[-HISTORY_LENGTH:])
