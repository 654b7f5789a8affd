"""A grant's history as its column holds it: short, for it is written at each refresh."""

from __future__ import annotations

import msgspec

from everbearer.oauth.models import Happening, HistoryEntry
from everbearer.storage.sql.json_text import json_text

_new = tuple[object, ...].__new__
"""Makes an entry in a third of the time that its own constructor takes: each refresh reads a ring of them."""
_entries = msgspec.json.Decoder(tuple[tuple[int, Happening, int, str | None, str | None], ...])


def history_text(history: tuple[HistoryEntry, ...]) -> str:
    """Return a history as JSON. An address or agent that is that of the entry before is left out, as most are."""
    known_address = known_agent = None
    entries: list[tuple[object, ...]] = []
    for at, happening, generation, address, agent in history:
        same_address, same_agent = address == known_address, agent == known_agent
        entries.append((at, happening, generation, None if same_address else address, None if same_agent else agent))
        known_address, known_agent = address, agent
    return json_text(entries)


def history_of(text: str) -> tuple[HistoryEntry, ...]:
    """Return the history that a text holds."""
    known_address = known_agent = ""
    entries: list[HistoryEntry] = []
    for at, happening, generation, address, agent in _entries.decode(text):
        if address is not None:
            known_address = address
        if agent is not None:
            known_agent = agent
        entries.append(_new(HistoryEntry, (at, happening, generation, known_address, known_agent)))
    return tuple(entries)
