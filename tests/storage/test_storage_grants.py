"""Grants, their generations and their ends, on every store."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from everbearer.oauth.events import EventKind
from everbearer.oauth.models import Everything, Grant
from everbearer.oauth.store import Spend
from everbearer.storage.store import AdminStore
from storage.values import CLIENT, ENDED, EVENT, GRANT, NOW, OTHER_END, SESSION, USER, new_grant, rotated

END_BY_OTHER_VERBS: dict[str, Callable[[AdminStore], Awaitable[object]]] = {
    "its consent withdrawn": lambda store: store.withdraw_consent("ada", "spa", ENDED),
    "its user changed": lambda store: store.change_user(USER, EVENT, was=USER, ends=ENDED),
    "its user deleted": lambda store: store.delete_user("ada", EVENT, ENDED),
    "its client changed": lambda store: store.put_client(CLIENT, EVENT, ends=ENDED),
    "its client deleted": lambda store: store.delete_client("spa", EVENT, ENDED),
}


async def stored(store: AdminStore, grant: Grant) -> Grant:
    await store.create_grant(grant, EVENT)
    found = await store.grant(grant.grant_id)
    assert found is not None
    return found


async def test_creating_a_grant_records_its_event(store: AdminStore) -> None:
    await store.create_grant(GRANT, EVENT)

    assert await store.events(grant_id="grant") == [EVENT]


@pytest.mark.parametrize("end", END_BY_OTHER_VERBS.values(), ids=END_BY_OTHER_VERBS)
async def test_an_ended_grant_tells_how_it_ended_and_is_never_spent(
    store: AdminStore, end: Callable[[AdminStore], Awaitable[object]]
) -> None:
    await store.create_user(USER, EVENT)
    await store.put_client(CLIENT, EVENT)
    grant = await stored(store, new_grant(offline=False))
    await end(store)

    assert await store.spend(rotated(grant), expected=2) is Spend.ENDED
    assert await store.grant("grant") == replace(grant, ended=ENDED)
    assert await store.grants(live_only=True) == []
    assert await store.end_grant("grant", OTHER_END) is False


@pytest.mark.parametrize("end", END_BY_OTHER_VERBS.values(), ids=END_BY_OTHER_VERBS)
async def test_an_end_leaves_what_is_another_ones(
    store: AdminStore, end: Callable[[AdminStore], Awaitable[object]]
) -> None:
    await store.create_user(USER, EVENT)
    await store.put_client(CLIENT, EVENT)
    other = replace(new_grant("other", session_id="elsewhere"), subject="bob", client_id="web", offline=False)
    grant = await stored(store, replace(other, authentication=replace(other.authentication, subject="bob")))
    await end(store)

    assert await store.grant("other") == grant
    assert await store.spend(rotated(grant), expected=2) is Spend.SPENT


async def test_ending_a_grant_is_recorded_once(store: AdminStore) -> None:
    await store.create_grant(new_grant(), EVENT)

    assert await store.end_grant("grant", ENDED) is True
    assert await store.end_grant("grant", ENDED) is False
    assert await store.end_grant("other", ENDED) is False
    event, _ = await store.events()
    assert (event.kind, event.at, event.actor) == (EventKind.GRANT_ENDED, ENDED.at, ENDED.actor)
    assert (event.grant_id, event.client_id, event.subject) == ("grant", "spa", "ada")
    assert event.details == {"reason": "revoked_by_user"}


@pytest.mark.parametrize(
    ("everything", "key", "subject", "client_id"),
    [
        (Everything.USER, "ada", "ada", ""),
        (Everything.CLIENT, "spa", "", "spa"),
        (Everything.CONSENT, "ada spa", "ada", "spa"),
        (Everything.SESSION, "session", "ada", ""),
        (Everything.SESSION, "unknown", "", ""),
    ],
)
async def test_ending_everything_is_recorded(
    store: AdminStore, everything: Everything, key: str, subject: str, client_id: str
) -> None:
    await store.create_session(SESSION, EVENT)
    await store.end_all(everything, key, ENDED)

    event = (await store.events())[0]
    assert (event.kind, event.at, event.actor) == (EventKind.ALL_ENDED, ENDED.at, ENDED.actor)
    assert (event.subject, event.client_id, event.grant_id) == (subject, client_id, "")
    assert event.details == {"reason": "revoked_by_user", "everything": everything, "key": key}


async def test_grants_are_listed_newest_first(store: AdminStore) -> None:
    for age, name in enumerate(["newest", "middle", "oldest"]):
        await store.create_grant(replace(new_grant(name), created_at=NOW - age), EVENT)

    assert [grant.grant_id for grant in await store.grants()] == ["newest", "middle", "oldest"]
    assert [grant.grant_id for grant in await store.grants(limit=2)] == ["newest", "middle"]


async def test_grants_are_listed_by_user_client_and_session(store: AdminStore) -> None:
    for subject in ("ada", "bob"):
        for client_id in ("spa", "web"):
            for session_id in ("", "s1", "s2"):
                grant = new_grant(f"{subject} {client_id} {session_id}", session_id=session_id)
                authentication = replace(grant.authentication, subject=subject)
                await store.create_grant(
                    replace(grant, subject=subject, client_id=client_id, authentication=authentication), EVENT
                )

    async def listed(subject: str = "", client_id: str = "", session_id: str = "") -> set[str]:
        found = await store.grants(subject=subject, client_id=client_id, session_id=session_id)
        return {grant.grant_id for grant in found}

    assert len(await listed()) == 12
    assert await listed(subject="ada") == {
        f"ada {client} {session}" for client in ("spa", "web") for session in ("", "s1", "s2")
    }
    assert await listed(client_id="web") == {
        f"{user} web {session}" for user in ("ada", "bob") for session in ("", "s1", "s2")
    }
    assert await listed(session_id="s1") == {
        f"{user} {client} s1" for user in ("ada", "bob") for client in ("spa", "web")
    }
    assert await listed(subject="bob", client_id="spa", session_id="s2") == {"bob spa s2"}
    assert await listed(subject="eve") == set()
