"""Clients, keys, the audit trail, remembered values and the purge, on every store."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from everbearer.login.models import SessionLifetimes
from everbearer.oauth.client import Client, Lifetimes
from everbearer.oauth.events import EventKind
from everbearer.oauth.models import CodeBinding, Everything, Grant
from everbearer.storage.store import AdminStore, Purged, StoredKey
from storage.values import CLIENT, ENDED, EVENT, KEY, NOW, SESSION, new_grant

WEEK = 7 * 86400


async def test_a_client_comes_back_as_stored(store: AdminStore) -> None:
    await store.put_client(CLIENT, EVENT)

    assert await store.client("spa") == CLIENT
    assert await store.client("web") is None
    assert await store.events() == [EVENT]


async def test_a_client_of_defaults_comes_back(store: AdminStore) -> None:
    bare = Client(client_id="bare", lifetimes=Lifetimes(refresh_token_idle=None))
    await store.put_client(bare, EVENT)

    assert await store.client("bare") == bare


async def test_a_client_is_replaced_whole(store: AdminStore) -> None:
    await store.put_client(CLIENT, EVENT)
    await store.put_client(Client(client_id="spa"), EVENT)

    assert await store.clients() == [Client(client_id="spa")]


async def test_a_change_that_ends_all_raises_the_clients_epoch(store: AdminStore) -> None:
    await store.put_client(replace(CLIENT, epoch=7), EVENT, ends=ENDED)

    assert await store.client("spa") == replace(CLIENT, epoch=1)
    assert [event.kind for event in await store.events()] == [EventKind.ALL_ENDED, EVENT.kind]


async def test_clients_are_listed_by_id(store: AdminStore) -> None:
    for name in ("b", "c", "a"):
        await store.put_client(Client(client_id=name), EVENT)

    assert [client.client_id for client in await store.clients()] == ["a", "b", "c"]


async def test_a_deleted_client_is_gone(store: AdminStore) -> None:
    await store.put_client(CLIENT, EVENT)

    assert await store.delete_client("spa", EVENT, ENDED) is True
    assert await store.client("spa") is None
    assert await store.allows_origin("https://app.example") is False
    recorded = len(await store.events())
    assert await store.delete_client("spa", EVENT, ENDED) is False
    assert len(await store.events()) == recorded


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("https://app.example", True),
        ("http://localhost:8080", True),
        ("https://bye.example", True),
        ("https://bye.example:443", False),
        ("http://app.example", False),
        ("https://app.example:8443", False),
        ("com.example.app://", False),
        ("null", False),
        ("", False),
    ],
)
async def test_the_origins_of_redirect_uris_are_allowed(store: AdminStore, origin: str, *, allowed: bool) -> None:
    await store.put_client(CLIENT, EVENT)

    assert await store.allows_origin(origin) is allowed


async def test_an_origin_is_allowed_as_long_as_a_client_has_it(store: AdminStore) -> None:
    await store.put_client(CLIENT, EVENT)
    await store.put_client(replace(CLIENT, client_id="other"), EVENT)
    await store.put_client(Client(client_id="spa", redirect_uris=("http://[::1]:99/", "http://[bad/")), EVENT)

    assert await store.allows_origin("https://app.example") is True
    assert await store.allows_origin("http://[::1]:99") is True
    await store.delete_client("other", EVENT, ENDED)
    assert await store.allows_origin("https://app.example") is False


async def test_a_value_is_remembered_once(store: AdminStore) -> None:
    assert await store.remembers("jti", "x") is False
    assert await store.remember("jti", "x", until=NOW) is True
    assert await store.remember("jti", "x", until=NOW + 1) is False
    assert await store.remember("jti", "y", until=NOW) is True
    assert await store.remember("code", "x", until=NOW) is True
    assert await store.remembers("jti", "x") is True


async def test_events_are_listed_newest_first(store: AdminStore) -> None:
    events = [replace(EVENT, at=NOW + n, details={"n": str(n)}) for n in range(5)]
    for event in events:
        await store.record(event)

    assert await store.events() == events[::-1]
    assert await store.events(limit=2) == events[:2:-1]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"grant_id": "g"}, 1),
        ({"subject": "ada"}, 2),
        ({"client_id": "spa"}, 2),
        ({"subject": "ada", "client_id": "spa"}, 1),
        ({"grant_id": "g", "subject": "bob"}, 0),
        ({}, 4),
    ],
)
async def test_events_are_listed_by_grant_user_and_client(
    store: AdminStore, filters: dict[str, str], found: int
) -> None:
    bare = replace(EVENT, grant_id="", subject="", client_id="")
    for event in (
        bare,
        replace(bare, subject="ada"),
        replace(bare, client_id="spa"),
        replace(bare, grant_id="g", subject="ada", client_id="spa"),
    ):
        await store.record(event)

    assert len(await store.events(**filters)) == found  # type: ignore[arg-type] # no filter is named `limit`


@pytest.mark.parametrize("kind", EventKind)
async def test_every_kind_of_event_is_kept(store: AdminStore, kind: EventKind) -> None:
    await store.record(replace(EVENT, kind=kind))

    assert await store.events() == [replace(EVENT, kind=kind)]


async def test_a_key_comes_back_as_stored(store: AdminStore) -> None:
    assert await store.add_key(KEY, EVENT, newest=None) is True
    assert await store.keys() == [KEY]
    assert await store.events() == [EVENT]


async def test_a_key_is_refused_where_somebody_else_was_first(store: AdminStore) -> None:
    second = replace(KEY, kid="second", created_at=NOW + 1, retired_at=None)
    await store.add_key(KEY, EVENT, newest=None)

    assert await store.add_key(second, EVENT, newest=None) is False
    assert await store.add_key(second, EVENT, newest="key") is True
    assert await store.add_key(replace(KEY, kid="third"), EVENT, newest="key") is False
    assert await store.add_key(replace(KEY, kid="rsa", alg="RS256"), EVENT, newest=None) is True
    assert [key.kid for key in await store.keys()] == ["key", "rsa", "second"]
    assert len(await store.events()) == 3


async def test_a_key_of_a_kid_that_is_there_is_refused(store: AdminStore) -> None:
    await store.add_key(KEY, EVENT, newest=None)

    assert await store.add_key(replace(KEY, created_at=NOW + 1), EVENT, newest="key") is False


async def test_a_key_is_retired(store: AdminStore) -> None:
    key: StoredKey = replace(KEY, retired_at=None)
    await store.add_key(key, EVENT, newest=None)

    assert await store.retire_key("key", NOW + 77, EVENT) is True
    assert await store.retire_key("other", NOW, EVENT) is False
    assert await store.keys() == [replace(key, retired_at=NOW + 77)]
    assert len(await store.events()) == 2


async def test_a_key_is_sealed_anew_only_if_nobody_else_did(store: AdminStore) -> None:
    await store.add_key(KEY, EVENT, newest=None)

    assert await store.reseal_key("key", old=KEY.sealed, new=b"anew") is True
    assert await store.reseal_key("key", old=KEY.sealed, new=b"late") is False
    assert await store.reseal_key("other", old=b"anew", new=b"nobody's") is False
    assert await store.keys() == [replace(KEY, sealed=b"anew")]
    assert await store.events() == [EVENT]


async def test_a_secret_is_kept_sealed_by_whoever_is_first(store: AdminStore) -> None:
    assert await store.sealed_value("salt") is None
    assert await store.keep_sealed_value("salt", b"\x00first", was=None) is True
    assert await store.keep_sealed_value("salt", b"second", was=None) is False
    assert await store.keep_sealed_value("other", b"another", was=None) is True
    assert await store.sealed_value("salt") == b"\x00first"


async def test_a_kept_secret_is_sealed_anew_only_if_nobody_else_did(store: AdminStore) -> None:
    await store.keep_sealed_value("salt", b"old", was=None)

    assert await store.keep_sealed_value("salt", b"anew", was=b"old") is True
    assert await store.keep_sealed_value("salt", b"late", was=b"old") is False
    assert await store.keep_sealed_value("other", b"nobody's", was=b"old") is False
    assert (await store.sealed_value("salt"), await store.sealed_value("other")) == (b"anew", None)


async def test_keys_are_purged_when_they_have_been_retired_long_enough(store: AdminStore) -> None:
    await store.add_key(replace(KEY, retired_at=NOW + 10), EVENT, newest=None)
    newest = replace(KEY, kid="newest", created_at=NOW + 1, retired_at=None)
    await store.add_key(newest, EVENT, newest="key")

    assert await store.purge(now=NOW + 16, keep=7, batch=10) == Purged()
    assert await store.purge(now=NOW + 17, keep=7, batch=10) == Purged(others=1)
    assert await store.keys() == [newest]
    assert await store.add_key(replace(KEY, kid="next", created_at=NOW + 2), EVENT, newest="newest") is True


async def test_a_store_that_is_ready_answers_a_ping(store: AdminStore) -> None:
    await store.ping()

    assert await store.pending_migrations() == []
    assert await store.migrate() == []


CODE = CodeBinding(redirect_uri="")
BARE = replace(new_grant(session_id=""), created_at=NOW, rotated_at=NOW, used_at=NOW)
IN_SESSION = replace(BARE, offline=False, authentication=new_grant().authentication)
ORPHAN = replace(BARE, client_id="gone")


@pytest.mark.parametrize(
    ("grant", "lifetime"),
    [
        (replace(BARE, generation=0, code=CODE), 100),
        (replace(BARE, offline=False), 100),
        (replace(BARE, generation=0, offline=False), 100),
        (replace(BARE, offline=False, rotated_at=NOW + 50), 150),
        (BARE, 1_000),
        (replace(BARE, used_at=NOW + 20_000), 10_000),
        (replace(ORPHAN, generation=0, code=CODE), 1_800),
        (replace(ORPHAN, offline=False), 1_800),
        (ORPHAN, 30 * 86400),
        (replace(ORPHAN, used_at=NOW + 60 * WEEK), 52 * WEEK),
    ],
)
async def test_a_grant_is_purged_when_it_has_been_dead_long_enough(
    store: AdminStore, grant: Grant, lifetime: int
) -> None:
    await store.put_client(CLIENT, EVENT)
    await store.create_grant(grant, EVENT)

    assert await store.purge(now=NOW + lifetime + 6, keep=7, batch=10) == Purged()
    assert await store.purge(now=NOW + lifetime + 7, keep=7, batch=10) == Purged(grants=1)
    assert await store.grant("grant") is None


async def test_a_grant_without_idle_limit_is_kept_to_the_absolute_one(store: AdminStore) -> None:
    await store.put_client(replace(CLIENT, lifetimes=replace(CLIENT.lifetimes, refresh_token_idle=None)), EVENT)
    await store.create_grant(BARE, EVENT)

    assert await store.purge(now=NOW + 9_999, keep=0, batch=10) == Purged()
    assert await store.purge(now=NOW + 10_000, keep=0, batch=10) == Purged(grants=1)


@pytest.mark.parametrize("everything", Everything)
async def test_ended_grants_are_purged(store: AdminStore, everything: Everything) -> None:
    keys = {
        Everything.USER: "ada",
        Everything.CLIENT: "spa",
        Everything.CONSENT: "ada spa",
        Everything.SESSION: "session",
    }
    await store.create_grant(replace(IN_SESSION, rotated_at=NOW + WEEK), EVENT)
    await store.end_all(everything, keys[everything], ENDED)

    assert (await store.purge(now=ENDED.at + 99, keep=100, batch=10)).grants == 0
    assert (await store.purge(now=ENDED.at + 100, keep=100, batch=10)).grants == 1


async def test_a_grant_that_was_ended_is_purged(store: AdminStore) -> None:
    await store.create_grant(BARE, EVENT)
    await store.end_grant("grant", ENDED)

    assert await store.purge(now=ENDED.at + 99, keep=100, batch=10) == Purged()
    assert await store.purge(now=ENDED.at + 100, keep=100, batch=10) == Purged(grants=1)


async def test_a_purge_removes_a_batch_of_each_kind(store: AdminStore) -> None:
    for number in range(5):
        await store.create_grant(replace(BARE, grant_id=str(number)), EVENT)
        await store.create_session(replace(SESSION, session_id=str(number)), EVENT)
        await store.remember("jti", str(number), until=NOW)
        await store.count_attempt(str(number), now=NOW, window=10)
    late = NOW + 60 * WEEK

    assert await store.purge(now=late, keep=WEEK, batch=3) == Purged(grants=3, sessions=3, others=6)
    assert await store.purge(now=late, keep=WEEK, batch=3) == Purged(grants=2, sessions=2, others=4)
    assert (await store.purge(now=late, keep=WEEK, batch=3)).total == 0
    assert len(await store.events()) == 10


async def test_a_purge_finds_the_dead_behind_any_number_of_the_living(store: AdminStore) -> None:
    late = NOW + 6 * WEEK
    living = [replace(BARE, grant_id=f"a {number}", used_at=late) for number in range(600)]
    dead = [replace(BARE, grant_id=f"b {number}") for number in range(5)]
    sessions = [replace(SESSION, session_id=f"a {number}", used_at=late) for number in range(600)]
    await asyncio.gather(*[store.create_grant(grant, EVENT) for grant in living + dead])
    await asyncio.gather(*[store.create_session(session, EVENT) for session in sessions])
    await store.create_session(replace(SESSION, session_id="b", used_at=NOW - 60 * WEEK), EVENT)

    assert await store.purge(now=late, keep=WEEK, batch=3) == Purged(grants=3, sessions=1)
    assert await store.purge(now=late, keep=WEEK, batch=3) == Purged(grants=2)
    assert await store.purge(now=late, keep=WEEK, batch=3) == Purged()
    assert len(await store.grants(limit=1000)) == 600


async def test_what_is_remembered_and_counted_is_purged_in_its_time(store: AdminStore) -> None:
    await store.remember("jti", "x", until=NOW + 10)
    await store.count_attempt("ada", now=NOW, window=10)

    assert await store.purge(now=NOW + 11, keep=2, batch=10) == Purged()
    assert await store.purge(now=NOW + 12, keep=2, batch=10) == Purged(others=2)
    assert await store.remembers("jti", "x") is False


async def test_sessions_are_purged_when_idle_or_over(store: AdminStore) -> None:
    lifetimes = SessionLifetimes()
    await store.create_session(replace(SESSION, used_at=NOW), EVENT)
    await store.create_session(replace(SESSION, session_id="used", used_at=NOW + 60 * WEEK), EVENT)

    assert await store.purge(now=NOW + lifetimes.idle - 1, keep=0, batch=9) == Purged()
    assert await store.purge(now=NOW + lifetimes.idle, keep=0, batch=9) == Purged(sessions=1)
    assert await store.purge(now=NOW + lifetimes.absolute, keep=0, batch=9) == Purged(sessions=1)


async def test_the_end_of_a_session_stays_as_long_as_a_grant_needs_it(store: AdminStore) -> None:
    await store.create_session(SESSION, EVENT)
    await store.create_grant(IN_SESSION, EVENT)
    await store.create_grant(replace(IN_SESSION, grant_id="offline", offline=True), EVENT)
    await store.end_all(Everything.SESSION, "session", ENDED)
    for number in range(3):
        await store.create_grant(replace(IN_SESSION, grant_id=str(number)), EVENT)
    at = ENDED.at

    assert await store.purge(now=at, keep=0, batch=2) == Purged(grants=2, sessions=1)
    assert [grant.ended for grant in await store.grants(session_id="session")].count(ENDED) == 2
    assert await store.purge(now=at, keep=0, batch=2) == Purged(grants=2, others=1)


async def test_ended_sessions_are_purged(store: AdminStore) -> None:
    await store.create_session(SESSION, EVENT)
    await store.create_session(replace(SESSION, session_id="other"), EVENT)
    await store.end_all(Everything.SESSION, "other", ENDED)
    await store.end_all(Everything.USER, "ada", replace(ENDED, at=ENDED.at + 10))

    assert await store.purge(now=ENDED.at + 9, keep=0, batch=10) == Purged(sessions=1, others=1)
    assert await store.purge(now=ENDED.at + 10, keep=0, batch=10) == Purged(sessions=1)
