"""Signing keys are made once, sealed, published before they sign and kept after they did, on every store."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import pytest

from everbearer.oauth.client import Client, Lifetimes
from everbearer.oauth.crypto import jws
from everbearer.oauth.crypto.sealing import Sealer
from everbearer.oauth.events import Event, EventKind
from everbearer.oauth.models import DAY
from everbearer.server.config import KeysSection
from everbearer.server.upkeep.signing_keys import (
    RELOAD_AFTER,
    KeysUnreadable,
    NoSuchKey,
    SigningKeys,
    rotate_keys,
    tend_keys,
    withdraw_key,
)
from everbearer.storage.store import AdminStore, StoredKey

T = TypeVar("T")

NOW = 1_700_000_000
SEALER = Sealer([b"x" * 32])
ONE = KeysSection(algorithms=("ES256",), rotate_after=90 * DAY, publish_before=DAY, keep_after=7 * DAY)


async def at_once(work: Callable[[], T]) -> T:
    return work()


async def tend(store: AdminStore, now: int, settings: KeysSection = ONE) -> list[StoredKey]:
    return await tend_keys(store, SEALER, settings, now=now, run=at_once)


async def rotate(store: AdminStore, now: int, *, now_already: bool = False) -> list[StoredKey]:
    return await rotate_keys(
        store, SEALER, ONE, ["ES256"], at_once=now_already, now=now, run=at_once, actor="admin:test"
    )


async def signing_kid(store: AdminStore, now: int) -> str:
    keys = SigningKeys(store, SEALER, lambda: now)
    await keys.refresh()
    return keys().signing["ES256"].kid


async def published_kids(store: AdminStore, now: int) -> list[str]:
    keys = SigningKeys(store, SEALER, lambda: now)
    await keys.refresh()
    return [key.kid for key in keys().published]


async def test_the_first_start_makes_a_key_for_each_algorithm_that_signs_at_once(store: AdminStore) -> None:
    settings = KeysSection(algorithms=("ES256", "EdDSA"))
    made = await tend(store, NOW, settings)

    assert [(key.alg, key.active_at, key.retired_at) for key in made] == [("ES256", NOW, None), ("EdDSA", NOW, None)]
    assert await signing_kid(store, NOW) == made[0].kid


async def test_a_second_start_makes_nothing(store: AdminStore) -> None:
    await tend(store, NOW)

    assert await tend(store, NOW + DAY) == []


async def test_a_key_is_sealed_at_rest(store: AdminStore) -> None:
    (key,) = await tend(store, NOW)

    assert b'"d"' not in key.sealed
    assert key.kid not in repr(key.sealed)


async def test_an_old_key_is_replaced_by_one_that_is_published_before_it_signs(store: AdminStore) -> None:
    (old,) = await tend(store, NOW)
    (new,) = await tend(store, NOW + 90 * DAY)

    switch = NOW + 91 * DAY
    assert await published_kids(store, NOW + 90 * DAY) == [old.kid, new.kid]
    assert await signing_kid(store, switch - 1) == old.kid
    assert await signing_kid(store, switch) == new.kid


async def test_a_replaced_key_stays_published_and_then_goes(store: AdminStore) -> None:
    (old,) = await tend(store, NOW)
    (new,) = await tend(store, NOW + 90 * DAY)

    end = NOW + 98 * DAY
    assert await published_kids(store, end - 1) == [old.kid, new.kid]
    assert await published_kids(store, end) == [new.kid]


async def test_a_replaced_key_stays_published_as_long_as_the_longest_token_of_any_client(store: AdminStore) -> None:
    client = Client(client_id="c", lifetimes=Lifetimes(id_token=30 * DAY))
    await store.put_client(client, Event(kind=EventKind.CLIENT_CREATED, at=NOW))
    await tend(store, NOW)
    await rotate(store, NOW, now_already=True)

    assert (await store.keys())[0].retired_at == NOW + 30 * DAY


async def test_without_an_age_keys_are_only_rotated_by_command(store: AdminStore) -> None:
    settings = KeysSection(algorithms=("ES256",), rotate_after=None)
    await tend(store, NOW, settings)

    assert await tend(store, NOW + 9999 * DAY, settings) == []


async def test_a_key_rotated_by_command_is_published_before_it_signs(store: AdminStore) -> None:
    (old,) = await tend(store, NOW)
    (new,) = await rotate(store, NOW + 5)

    assert new.active_at == NOW + 5 + DAY
    assert await signing_kid(store, NOW + 5) == old.kid
    assert await published_kids(store, NOW + 5) == [old.kid, new.kid]


async def test_a_key_rotated_at_once_signs_at_once(store: AdminStore) -> None:
    (old,) = await tend(store, NOW)
    (new,) = await rotate(store, NOW + 5, now_already=True)

    assert await signing_kid(store, NOW + 5) == new.kid
    assert await published_kids(store, NOW + 5) == [old.kid, new.kid]


async def test_a_key_that_was_overtaken_before_it_signed_never_signs(store: AdminStore) -> None:
    await tend(store, NOW)
    await rotate(store, NOW + 5)
    (newest,) = await rotate(store, NOW + 10, now_already=True)

    assert await signing_kid(store, NOW + 5 + 2 * DAY) == newest.kid


async def test_rotating_where_there_is_no_key_makes_one_that_signs_at_once(store: AdminStore) -> None:
    (made,) = await rotate(store, NOW)

    assert made.active_at == NOW


async def test_of_two_processes_that_rotate_at_the_same_moment_one_makes_the_key(store: AdminStore) -> None:
    (first,) = await tend(store, NOW)
    other = replace(first, kid="other", created_at=NOW + 1)
    rotated_meanwhile = False

    async def slow(work: Callable[[], T]) -> T:
        nonlocal rotated_meanwhile
        rotated_meanwhile = await store.add_key(other, Event(kind=EventKind.KEY_CREATED, at=NOW), newest=first.kid)
        return work()

    made = await tend_keys(store, SEALER, ONE, now=NOW + 90 * DAY, run=slow)

    assert rotated_meanwhile
    assert made == []


async def test_a_crash_between_making_and_retiring_is_made_good(store: AdminStore) -> None:
    (old,) = await tend(store, NOW)
    newer = replace(old, kid="newer", created_at=NOW + 1, active_at=NOW + DAY)
    await store.add_key(newer, Event(kind=EventKind.KEY_CREATED, at=NOW), newest=old.kid)

    await tend(store, NOW + 60)

    assert [key.retired_at for key in await store.keys()] == [NOW + 8 * DAY, None]


async def test_making_and_retiring_stand_in_the_audit_trail(store: AdminStore) -> None:
    await tend(store, NOW)
    await rotate(store, NOW + 5)

    kinds = [(event.kind, event.actor) for event in await store.events()]
    assert sorted(kinds) == [
        (EventKind.KEY_CREATED, "admin:test"),
        (EventKind.KEY_CREATED, "server"),
        (EventKind.KEY_RETIRED, "admin:test"),
    ]


async def test_before_any_key_is_active_the_first_signs(store: AdminStore) -> None:
    (made,) = await tend(store, NOW + 60)

    assert await signing_kid(store, NOW) == made.kid


async def test_a_key_sealed_with_an_older_secret_is_still_read(store: AdminStore) -> None:
    (made,) = await tend(store, NOW)
    keys = SigningKeys(store, Sealer([b"new" * 16, b"x" * 32]), lambda: NOW)
    await keys.refresh()

    assert keys().signing["ES256"].kid == made.kid


async def test_a_key_sealed_with_a_secret_that_is_gone_is_told(store: AdminStore) -> None:
    await tend(store, NOW)
    keys = SigningKeys(store, Sealer([b"new" * 16]), lambda: NOW)

    with pytest.raises(KeysUnreadable, match="add the earlier secret after the new one"):
        await keys.refresh()


async def test_a_retired_key_is_not_needed_any_more(store: AdminStore) -> None:
    (old,) = await tend(store, NOW)
    (new,) = await rotate(store, NOW + 5, now_already=True)
    await store.reseal_key(old.kid, old=old.sealed, new=b"under a secret that is gone")
    end = NOW + 5 + 7 * DAY

    with pytest.raises(KeysUnreadable, match=old.kid):
        await published_kids(store, end - 1)
    assert await published_kids(store, end) == [new.kid]


async def test_what_an_older_secret_sealed_is_sealed_anew(store: AdminStore) -> None:
    (made,) = await tend(store, NOW)
    both, newer = Sealer([b"new" * 16, b"x" * 32]), Sealer([b"new" * 16])

    await tend_keys(store, both, ONE, now=NOW + 1, run=at_once)

    keys = SigningKeys(store, newer, lambda: NOW + 1)
    await keys.refresh()
    assert keys().signing["ES256"].kid == made.kid


async def test_keys_that_are_retired_or_cannot_be_read_are_not_sealed_anew(store: AdminStore) -> None:
    await tend(store, NOW)
    await rotate(store, NOW + 5, now_already=True)
    before = await store.keys()
    both, stranger = Sealer([b"new" * 16, b"x" * 32]), Sealer([b"strange!" * 4])

    await tend_keys(store, stranger, ONE, now=NOW + 6, run=at_once)
    assert await store.keys() == before
    await tend_keys(store, both, ONE, now=NOW + 5 + 7 * DAY, run=at_once)
    old, new = await store.keys()
    assert old == before[0]
    assert new.sealed != before[1].sealed


async def test_a_running_server_reads_new_keys_after_a_while(store: AdminStore) -> None:
    (old,) = await tend(store, NOW)
    clock = [NOW]
    keys = SigningKeys(store, SEALER, lambda: clock[0])
    await keys.refresh()
    (new,) = await rotate(store, NOW, now_already=True)

    seen = []
    for clock[0] in (NOW + RELOAD_AFTER - 1, NOW + RELOAD_AFTER):
        await keys.refresh()
        seen.append({key.kid for key in keys().published})

    assert seen == [{old.kid}, {old.kid, new.kid}]


async def test_a_server_can_be_told_to_read_at_once(store: AdminStore) -> None:
    await tend(store, NOW)
    keys = SigningKeys(store, SEALER, lambda: NOW)
    await keys.refresh()
    (new,) = await rotate(store, NOW + 1, now_already=True)

    await keys.refresh(at_once=True)

    assert keys().by_kid(new.kid) is not None


async def withdraw(store: AdminStore, kid: str, now: int) -> list[StoredKey]:
    return await withdraw_key(store, SEALER, ONE, kid, now=now, run=at_once, actor="admin:test")


async def test_a_withdrawn_key_is_not_published_and_another_signs_at_once(store: AdminStore) -> None:
    (old,) = await tend(store, NOW)
    (new,) = await withdraw(store, old.kid, NOW + 5)

    assert await published_kids(store, NOW + 5) == [new.kid]
    assert await signing_kid(store, NOW + 5) == new.kid
    assert await tend(store, NOW + 6) == []


async def test_a_new_key_signs_even_where_one_was_already_published_to_come(store: AdminStore) -> None:
    (old,) = await tend(store, NOW)
    (to_come,) = await rotate(store, NOW + 5)
    (new,) = await withdraw(store, old.kid, NOW + 10)

    assert await published_kids(store, NOW + 10) == [to_come.kid, new.kid]
    assert await signing_kid(store, NOW + 10) == new.kid
    assert await signing_kid(store, NOW + 3 * DAY) == new.kid


async def test_where_the_key_to_come_is_withdrawn_the_one_that_signs_stays_until_another_takes_over(
    store: AdminStore,
) -> None:
    (old,) = await tend(store, NOW)
    (to_come,) = await rotate(store, NOW + 5)
    (new,) = await withdraw(store, to_come.kid, NOW + 10)

    assert await published_kids(store, NOW + 10) == [old.kid, new.kid]
    assert await signing_kid(store, NOW + 9 + DAY) == old.kid
    assert await signing_kid(store, NOW + 10 + DAY) == new.kid
    assert await published_kids(store, NOW + 9 + 8 * DAY) == [old.kid, new.kid]
    assert await published_kids(store, NOW + 10 + 8 * DAY) == [new.kid]


async def test_a_replaced_key_is_withdrawn_without_a_new_one(store: AdminStore) -> None:
    (old,) = await tend(store, NOW)
    (new,) = await rotate(store, NOW + 5, now_already=True)

    assert await withdraw(store, old.kid, NOW + 10) == []
    assert await published_kids(store, NOW + 10) == [new.kid]


async def test_a_key_is_withdrawn_once(store: AdminStore) -> None:
    (old,) = await tend(store, NOW)
    await withdraw(store, old.kid, NOW + 5)

    for kid in (old.kid, "nothing"):
        with pytest.raises(NoSuchKey, match=f"there is no key {kid} that is published"):
            await withdraw(store, kid, NOW + 6)
    (event, *_) = [event for event in await store.events() if event.kind is EventKind.KEY_RETIRED]
    assert (event.actor, event.details["reason"]) == ("admin:test", "withdrawn")


async def test_where_the_newest_key_was_withdrawn_and_none_made_one_is_made_soon(store: AdminStore) -> None:
    (old,) = await tend(store, NOW)
    await store.retire_key(old.kid, NOW + 5, Event(kind=EventKind.KEY_RETIRED, at=NOW + 5))
    (new,) = await tend(store, NOW + 6)

    assert await signing_kid(store, NOW + 6) == new.kid


async def test_of_two_keys_made_in_one_second_the_second_is_the_newer(store: AdminStore) -> None:
    (first,) = await tend(store, NOW)
    (second,) = await rotate(store, NOW, now_already=True)

    assert [key.kid for key in await store.keys()] == [first.kid, second.kid]
    assert await signing_kid(store, NOW) == second.kid


async def test_a_token_that_a_withdrawn_key_signed_is_not_known_any_more(store: AdminStore) -> None:
    (old,) = await tend(store, NOW)
    keys = SigningKeys(store, SEALER, lambda: NOW)
    await keys.refresh()
    token = jws.sign({"sub": "ada"}, keys().signing["ES256"], typ="at+jwt")
    assert jws.verify(token, keys(), typ="at+jwt") == {"sub": "ada"}

    await withdraw(store, old.kid, NOW)
    await keys.refresh(at_once=True)

    assert jws.verify(token, keys(), typ="at+jwt") is None
