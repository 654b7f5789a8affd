"""Signing keys, and the other secrets of the server that are kept sealed."""

from __future__ import annotations

from dataclasses import replace

from everbearer.oauth.events import Event
from everbearer.storage.memory.tables import Tables
from everbearer.storage.store import StoredKey


async def keys(tables: Tables) -> list[StoredKey]:
    """Read all keys, oldest first."""
    return sorted(tables.keys.values(), key=lambda key: (key.created_at, key.kid))


async def add_key(tables: Tables, key: StoredKey, event: Event, *, newest: str | None) -> bool:
    """Keep a key if it follows the newest of its algorithm."""
    kids = [stored.kid for stored in await keys(tables) if stored.alg == key.alg]
    if key.kid in tables.keys or (kids[-1] if kids else None) != newest:
        return False
    if newest in [tables.predecessors[kid] for kid in kids]:
        return False
    tables.keys[key.kid] = key
    tables.predecessors[key.kid] = newest
    tables.events.append(event)
    return True


async def retire_key(tables: Tables, kid: str, retired_at: int, event: Event) -> bool:
    """Set when a key retires."""
    key = tables.keys.get(kid)
    if key is None:
        return False
    tables.keys[kid] = replace(key, retired_at=retired_at)
    tables.events.append(event)
    return True


async def reseal_key(tables: Tables, kid: str, *, old: bytes, new: bytes) -> bool:
    """Replace a sealed value that still is the old one."""
    key = tables.keys.get(kid)
    if key is None or key.sealed != old:
        return False
    tables.keys[kid] = replace(key, sealed=new)
    return True


async def sealed_value(tables: Tables, name: str) -> bytes | None:
    """Read a sealed value."""
    return tables.sealed_values.get(name)


async def keep_sealed_value(tables: Tables, name: str, sealed: bytes, *, was: bytes | None) -> bool:
    """Keep a sealed value in the place of what was read."""
    if tables.sealed_values.get(name) != was:
        return False
    tables.sealed_values[name] = sealed
    return True
