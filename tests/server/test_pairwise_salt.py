"""The salt of pairwise subjects stays the same: over restarts, between nodes, and over changes of the secret."""

from __future__ import annotations

import asyncio

import pytest

from everbearer.oauth.crypto.sealing import Sealer
from everbearer.server.upkeep.pairwise_salt import LENGTH, PairwiseSalt, tend_salt
from everbearer.server.upkeep.signing_keys import KeysUnreadable
from everbearer.storage.store import AdminStore

OLD, NEW = b"old" * 16, b"new" * 16


async def _salt(store: AdminStore, *secrets: bytes) -> bytes:
    """Return what a server that starts has."""
    sealer = Sealer(secrets)
    await tend_salt(store, sealer)
    salt = PairwiseSalt(store, sealer)
    await salt.read()
    return salt()


async def test_it_is_made_once(store: AdminStore) -> None:
    first, second = await _salt(store, OLD), await _salt(store, OLD)

    assert first == second
    assert len(first) == LENGTH


async def test_it_is_not_there_before_it_was_made(store: AdminStore) -> None:
    salt = PairwiseSalt(store, Sealer([OLD]))
    await salt.read()

    assert salt() == b""


async def test_nodes_that_start_at_once_have_the_same(store: AdminStore) -> None:
    assert len(set(await asyncio.gather(*(_salt(store, OLD) for _ in range(4))))) == 1


async def test_the_servers_secret_changes_and_the_old_one_is_taken_out(store: AdminStore) -> None:
    salts = [await _salt(store, OLD), await _salt(store, NEW, OLD), await _salt(store, NEW)]

    assert len(set(salts)) == 1


async def test_what_cannot_be_unsealed_is_told_and_never_made_anew(store: AdminStore) -> None:
    before = await _salt(store, OLD)
    with pytest.raises(KeysUnreadable, match="add the earlier secret"):
        await _salt(store, NEW)

    assert await _salt(store, OLD) == before


async def test_it_is_read_from_the_store_once(store: AdminStore) -> None:
    sealer = Sealer([OLD])
    await tend_salt(store, sealer)
    salt = PairwiseSalt(store, sealer)
    await salt.read()
    await store.keep_sealed_value("pairwise salt", b"broken", was=await store.sealed_value("pairwise salt"))
    await salt.read()

    assert len(salt()) == LENGTH
