"""A grant's history as its column holds it: short, for it is written at each refresh."""

from __future__ import annotations

import msgspec

from everbearer.oauth.models import Happening, HistoryEntry
from everbearer.storage.sql.json_text import json_text

_entries = msgspec.json.Decoder(tuple[tuple[int, Happening, int, str | None, str | None], ...])


def history_text(history: tuple[HistoryEntry, ...]) -> str:
    """Return a history as JSON. An address or agent that is that of the entry before is left out, as most are."""
    address = agent = None
    entries: list[tuple[object, ...]] = []
    for entry in history:
        known = entry.address == address, entry.agent == agent
        address, agent = entry.address, entry.agent
        told = [None if same else value for same, value in zip(known, (address, agent), strict=True)]
        entries.append((entry.at, entry.happening, entry.generation, *told))
    return json_text(entries)


def history_of(text: str) -> tuple[HistoryEntry, ...]:
    """Return the history that a text holds."""
    known_address = known_agent = ""
    entries: list[HistoryEntry] = []
    for at, happening, generation, address, agent in _entries.decode(text):
        known_address = known_address if address is None else address
        known_agent = known_agent if agent is None else agent
        entries.append(
            HistoryEntry(at=at, happening=happening, generation=generation, address=known_address, agent=known_agent)
        )
    return tuple(entries)
