"""What happened to a grant lately: a short ring inside its row, written by the same statement as the spend."""

from __future__ import annotations

from everbearer.oauth.messages import Request
from everbearer.oauth.models import HISTORY_LENGTH, Grant, Happening, HistoryEntry


def with_entry(
    grant: Grant, happening: Happening, request: Request, *, generation: int, now: int
) -> tuple[HistoryEntry, ...]:
    """Return the grant's history with one more entry; the oldest falls out when the ring is full."""
    entry = HistoryEntry(now, happening, generation, request.remote_address, request.user_agent)
    return (*grant.history[1 - HISTORY_LENGTH :], entry)
