"""Devices that wait for their users to decide, on every store."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from everbearer.oauth.events import EventKind
from everbearer.oauth.models import CodeBinding, DeviceDecision, Everything, Grant
from everbearer.storage.store import AdminStore, Purged
from storage.values import CLIENT, DEVICE, ENDED, EVENT, NOW, new_grant

ALLOWED = replace(DEVICE, decision=DeviceDecision.ALLOWED, expires_at=NOW + 700)
DENIED = replace(DEVICE, decision=DeviceDecision.DENIED)
GRANT = replace(
    new_grant("device", session_id=""), generation=0, code=CodeBinding(redirect_uri="", expires_at=NOW + 700)
)


async def asked(store: AdminStore) -> None:
    assert await store.create_device_authorization(DEVICE)


async def test_what_a_device_asks_is_found_by_its_grant_and_by_its_user_code(store: AdminStore) -> None:
    await asked(store)

    assert await store.device_authorization(grant_id="device") == DEVICE
    assert await store.device_authorization(user_code="BCDFGHJK") == DEVICE
    assert await store.device_authorization(grant_id="BCDFGHJK") is None
    assert await store.device_authorization(user_code="device") is None


@pytest.mark.parametrize("taken", [{"grant_id": "another"}, {"user_code": "ZZZZZZZZ"}, {}])
async def test_a_user_code_or_an_id_that_is_taken_is_refused(store: AdminStore, taken: dict[str, str]) -> None:
    await asked(store)

    assert await store.create_device_authorization(replace(DEVICE, **taken, scope=())) is False  # type: ignore[arg-type]
    assert await store.device_authorization(grant_id="device") == DEVICE
    assert await store.device_authorization(grant_id="another") is None


async def test_a_poll_is_noted_with_how_long_to_wait(store: AdminStore) -> None:
    await asked(store)
    noted = replace(DEVICE, polled_at=NOW + 11, interval=10)

    assert await store.note_device_poll(noted, was=DEVICE)
    assert await store.device_authorization(grant_id="device") == noted


@pytest.mark.parametrize("was", [{"polled_at": NOW}, {"interval": 10}, {"grant_id": "another"}])
async def test_a_poll_that_another_was_before_is_not_noted(store: AdminStore, was: dict[str, int]) -> None:
    await asked(store)
    other = replace(DEVICE, **was)  # type: ignore[arg-type]

    assert await store.note_device_poll(replace(other, polled_at=NOW + 11), was=other) is False
    assert await store.device_authorization(grant_id="device") == DEVICE


@pytest.mark.parametrize("decided", [ALLOWED, DENIED], ids=["allowed", "denied"])
async def test_a_decision_is_written_once(store: AdminStore, decided: Any) -> None:
    await asked(store)

    assert await store.decide_device_authorization(decided, EVENT)
    assert await store.decide_device_authorization(ALLOWED, EVENT, grant=GRANT) is False
    assert await store.decide_device_authorization(DENIED, EVENT) is False
    assert await store.device_authorization(grant_id="device") == decided
    assert await store.grant("device") is None
    assert await store.events() == [EVENT]


async def test_a_device_that_is_allowed_has_its_grant_at_once(store: AdminStore) -> None:
    await asked(store)

    assert await store.decide_device_authorization(ALLOWED, EVENT, grant=GRANT)
    stored = await store.grant("device")
    assert stored is not None
    assert (stored.generation, stored.code, stored.ended) == (0, GRANT.code, None)
    assert await store.events() == [EVENT]


async def test_the_grant_of_a_sign_in_before_all_had_ended_is_born_dead(store: AdminStore) -> None:
    await asked(store)
    before = replace(GRANT, authentication=replace(GRANT.authentication, user_epoch=0))
    await store.end_all(Everything.USER, "ada", ENDED)
    await store.decide_device_authorization(ALLOWED, EVENT, grant=before)

    stored = await store.grant("device")
    assert stored is not None
    assert stored.ended == ENDED


async def test_a_device_that_never_asked_is_not_decided_on(store: AdminStore) -> None:
    event = replace(EVENT, kind=EventKind.DEVICE_DENIED)

    assert await store.decide_device_authorization(ALLOWED, event, grant=GRANT) is False
    assert await store.grant("device") is None
    assert await store.events() == []


async def test_a_poll_after_the_decision_is_not_noted(store: AdminStore) -> None:
    await asked(store)
    await store.decide_device_authorization(DENIED, EVENT)

    assert await store.note_device_poll(replace(DEVICE, polled_at=NOW + 50), was=DEVICE) is False


async def test_of_two_who_decide_at_once_one_is_heard(store: AdminStore) -> None:
    await asked(store)
    yes = store.decide_device_authorization(ALLOWED, EVENT, grant=GRANT)
    no = store.decide_device_authorization(DENIED, EVENT)

    assert sorted(await asyncio.gather(yes, no)) == [False, True]
    assert len(await store.events()) == 1


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
