"""Devices that wait for their users to decide, on every store, beside the suite: events, ends and the purge."""

from __future__ import annotations

from dataclasses import replace

import pytest

from everbearer.oauth.events import EventKind
from everbearer.oauth.models import Everything, Grant
from everbearer.storage.store import AdminStore, Purged
from everbearer.testing.devices import ALLOWED, DENIED, GRANT
from storage.values import CLIENT, DEVICE, ENDED, EVENT, NOW


async def asked(store: AdminStore) -> None:
    assert await store.create_device_authorization(DEVICE)


@pytest.mark.parametrize("taken", [{"grant_id": "another"}, {"user_code": "ZZZZZZZZ"}, {}])
async def test_a_user_code_or_an_id_that_is_taken_is_refused(store: AdminStore, taken: dict[str, str]) -> None:
    await asked(store)

    assert await store.create_device_authorization(replace(DEVICE, **taken, scope=())) is False  # type: ignore[arg-type]
    assert await store.device_authorization(grant_id="device") == DEVICE
    assert await store.device_authorization(grant_id="another") is None


@pytest.mark.parametrize("grant", [GRANT, None], ids=["allowed", "denied"])
async def test_the_trail_has_the_decision_once(store: AdminStore, grant: Grant | None) -> None:
    await asked(store)
    await store.decide_device_authorization(ALLOWED if grant else DENIED, EVENT, grant=grant)
    await store.decide_device_authorization(DENIED, EVENT)

    assert await store.events() == [EVENT]


async def test_the_grant_of_a_sign_in_before_all_had_ended_is_born_dead(store: AdminStore) -> None:
    await asked(store)
    before = replace(GRANT, authentication=replace(GRANT.authentication, user_epoch=0))
    await store.end_all(Everything.USER, "ada", ENDED)
    await store.decide_device_authorization(ALLOWED, EVENT, grant=before)

    stored = await store.grant("device")
    assert stored is not None
    assert stored.ended == ENDED


async def test_the_trail_has_nothing_of_a_device_that_never_asked(store: AdminStore) -> None:
    event = replace(EVENT, kind=EventKind.DEVICE_DENIED)
    await store.decide_device_authorization(ALLOWED, event, grant=GRANT)

    assert await store.events() == []


async def test_a_device_is_purged_when_its_code_has_been_dead_long_enough(store: AdminStore) -> None:
    await asked(store)

    assert await store.purge(now=NOW + 606, keep=7, batch=10) == Purged()
    assert await store.purge(now=NOW + 607, keep=7, batch=10) == Purged(others=1)
    assert await store.device_authorization(grant_id="device") is None


@pytest.mark.parametrize("kept", [True, False])
async def test_a_grant_that_its_device_does_not_fetch_lives_as_long_as_the_device_code(
    store: AdminStore, kept: bool
) -> None:
    await store.put_client(CLIENT, EVENT)
    await asked(store)
    await store.decide_device_authorization(ALLOWED, EVENT, grant=replace(GRANT, created_at=NOW, used_at=NOW))

    purged = await store.purge(now=NOW + (699 if kept else 700), keep=0, batch=10)
    assert purged == (Purged() if kept else Purged(grants=1, others=1))


async def test_the_grant_of_a_device_that_fetched_it_outlives_the_device_code(store: AdminStore) -> None:
    await store.put_client(CLIENT, EVENT)
    await asked(store)
    grant: Grant = replace(GRANT, created_at=NOW, used_at=NOW)
    await store.decide_device_authorization(ALLOWED, EVENT, grant=grant)
    await store.spend(replace(grant, generation=1, code=None), expected=0)

    assert await store.purge(now=NOW + 900, keep=0, batch=10) == Purged(others=1)
    assert await store.grant("device") is not None
