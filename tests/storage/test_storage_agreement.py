"""SQLite and PostgreSQL do what memory does, whatever the order of the verbs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from everbearer.login.models import SessionLifetimes
from everbearer.oauth.client import Lifetimes
from everbearer.oauth.models import CodeBinding, DeviceDecision, Ended, EndReason, Everything, Grant
from everbearer.oauth.sessions.backchannel_logout import Logout
from everbearer.storage.memory import MemoryStore
from everbearer.storage.postgresql import PostgreSQLStore
from everbearer.storage.sqlite import BlockingSQLiteStore
from everbearer.storage.store import AdminStore
from postgresql_server import PostgreSQLServer, emptied
from storage.values import CLIENT, DEVICE, EVENT, KEY, LOGOUT, NOW, REGISTERED, SESSION, TOKEN, USER, new_grant

Act: TypeAlias = Callable[[AdminStore], Any]

GRANTS = st.sampled_from(["g1", "g2", "g3"])
USERS = st.sampled_from(["ada", "bob"])
CLIENTS = st.sampled_from(["spa", "web"])
SESSIONS = st.sampled_from(["s1", "s2"])
SMALL = st.integers(0, 4)
TIMES = st.integers(NOW, NOW + 300)
ENDS = st.builds(Ended, reason=st.sampled_from(EndReason), actor=USERS, at=TIMES)
MAYBE_ENDS = st.none() | ENDS
EPOCHS = st.none() | st.integers(0, 2)
SCOPES = st.lists(st.sampled_from(["openid", "email", "profile"]), unique=True).map(tuple)
EVENTS = st.builds(replace, st.just(EVENT), at=TIMES, subject=USERS, client_id=CLIENTS)
CLIENT_VALUES = st.builds(
    lambda client_id, idle: replace(
        CLIENT,
        client_id=client_id,
        lifetimes=Lifetimes(access_token=100, refresh_token=200, refresh_token_idle=idle, authorization_code=50),
    ),
    CLIENTS,
    st.none() | st.integers(50, 250),
)
REGISTERED_VALUES = st.builds(
    lambda client, created_at: replace(
        REGISTERED, client_id=client.client_id, lifetimes=client.lifetimes, created_at=created_at
    ),
    CLIENT_VALUES,
    TIMES,
)
LATER = st.integers(NOW, NOW + 5000)
USER_VALUES = st.builds(
    lambda subject, login, password: replace(USER, subject=subject, login=login, password_hash=password),
    USERS,
    st.sampled_from(["login 1", "login 2"]),
    st.sampled_from(["hash 1", "hash 2"]),
)
SESSION_VALUES = st.builds(
    lambda name, subject, epoch, used_at: replace(
        SESSION, session_id=name, subject=subject, user_epoch=epoch, used_at=used_at
    ),
    st.sampled_from(["s1", "s2"]),  # a session has an id, though a grant may have no session
    USERS,
    SMALL,
    TIMES,
)
KEY_VALUES = st.builds(
    lambda kid, alg, created_at: replace(KEY, kid=kid, alg=alg, created_at=created_at),
    st.sampled_from(["k1", "k2", "k3"]),
    st.sampled_from(["ES256", "RS256"]),
    SMALL,
)


DEVICE_VALUES = st.builds(
    lambda name, code, polled_at, interval, expires_at: replace(
        DEVICE, grant_id=name, user_code=code, polled_at=polled_at, interval=interval, expires_at=expires_at
    ),
    GRANTS,
    st.sampled_from(["code 1", "code 2"]),
    SMALL,
    SMALL,
    TIMES,
)


@st.composite
def grant_values(draw: st.DrawFn) -> Grant:
    grant = new_grant(draw(GRANTS), session_id=draw(st.just("") | SESSIONS), offline=draw(st.booleans()))
    subject = draw(USERS)
    return replace(
        grant,
        subject=subject,
        client_id=draw(CLIENTS),
        authentication=replace(grant.authentication, subject=subject, user_epoch=draw(EPOCHS)),
        client_epoch=draw(EPOCHS),
        consent_epoch=draw(EPOCHS),
        generation=draw(SMALL),
        confirmed=draw(SMALL),
        retries=draw(SMALL),
        late_generation=draw(SMALL),
        late_streak=draw(SMALL),
        code=draw(st.none() | st.just(CodeBinding(redirect_uri="x"))),
        created_at=draw(TIMES),
        used_at=draw(TIMES),
        rotated_at=draw(TIMES),
    )


@st.composite
def ended_keys(draw: st.DrawFn) -> tuple[Everything, str]:
    everything = draw(st.sampled_from(Everything))
    consents = st.builds("{} {}".format, USERS, CLIENTS)
    keys = {Everything.USER: USERS, Everything.CLIENT: CLIENTS, Everything.CONSENT: consents}
    return everything, draw(keys.get(everything, SESSIONS))


async def create_grant_once(store: AdminStore, grant: Grant) -> None:
    if await store.grant(grant.grant_id) is None:
        await store.create_grant(grant, EVENT)


async def decide_once(store: AdminStore, device: Any, decision: DeviceDecision) -> object:
    grant = new_grant(device.grant_id) if decision is DeviceDecision.ALLOWED else None
    if grant is not None and await store.grant(grant.grant_id) is not None:
        return None
    return await store.decide_device_authorization(replace(device, decision=decision), EVENT, grant=grant)


async def create_session_once(store: AdminStore, session: Any) -> None:
    if await store.session(session.session_id) is None:
        await store.create_session(session, EVENT)


LEASED = NOW + 200
"""Until when whoever takes logouts has them, always the same here, so that some are settled as they were taken."""


async def take_logouts(store: AdminStore, now: int, limit: int) -> object:
    # In which order they come is nobody's promise.
    taken = await store.take_logouts(now=now, until=LEASED, limit=limit)
    return sorted(taken, key=lambda logout: (logout.session_id, logout.client_id))


def taken_logout(session_id: str, client_id: str, attempts: int) -> Logout:
    return replace(LOGOUT, session_id=session_id, client_id=client_id, attempts=attempts, due_at=LEASED)


ACTS: st.SearchStrategy[Act] = st.one_of(
    st.builds(lambda grant: lambda store: create_grant_once(store, grant), grant_values()),
    st.builds(lambda grant, expected: lambda store: store.spend(grant, expected=expected), grant_values(), SMALL),
    st.builds(lambda name, generation: lambda store: store.confirm(name, generation), GRANTS, SMALL),
    st.builds(lambda name, ended: lambda store: store.end_grant(name, ended), GRANTS, ENDS),
    st.builds(lambda device: lambda store: store.create_device_authorization(device), DEVICE_VALUES),
    st.builds(lambda device, was: lambda store: store.note_device_poll(device, was=was), DEVICE_VALUES, DEVICE_VALUES),
    st.builds(
        lambda device, decision: lambda store: decide_once(store, device, decision),
        DEVICE_VALUES,
        st.sampled_from(DeviceDecision),
    ),
    st.builds(lambda key, ended: lambda store: store.end_all(*key, ended), ended_keys(), ENDS),
    st.builds(
        lambda client, event, ends: lambda store: store.put_client(client, event, ends=ends),
        CLIENT_VALUES,
        EVENTS,
        MAYBE_ENDS,
    ),
    st.builds(lambda name, event, ends: lambda store: store.delete_client(name, event, ends), CLIENTS, EVENTS, ENDS),
    st.builds(
        lambda client, event, token_id, most: (
            lambda store: store.register_client(client, event, token_id=token_id, most=most)
        ),
        REGISTERED_VALUES,
        EVENTS,
        st.sampled_from(["", "token"]),
        st.none() | SMALL,
    ),
    st.builds(
        lambda client, was, event, forget: (
            lambda store: store.change_client(client, event, was=was, forget_consents=forget)
        ),
        REGISTERED_VALUES,
        st.just(CLIENT) | REGISTERED_VALUES,
        EVENTS,
        st.booleans(),
    ),
    st.builds(lambda name, at: lambda store: store.note_client_use(name, at), CLIENTS, LATER),
    st.builds(
        lambda name, event, at, unused_for: (
            lambda store: store.reap_client(
                name,
                event,
                Ended(reason=EndReason.CLIENT_DELETED, actor="server", at=at),
                unused_for=unused_for,
            )
        ),
        CLIENTS,
        EVENTS,
        LATER,
        st.integers(0, 300),
    ),
    st.builds(lambda event: lambda store: store.revoke_initial_access_token("token", event), EVENTS),
    st.builds(lambda user, event: lambda store: store.create_user(user, event), USER_VALUES, EVENTS),
    st.builds(
        lambda user, was, event, ends: lambda store: store.change_user(user, event, was=was, ends=ends),
        USER_VALUES,
        st.just(USER) | USER_VALUES,
        EVENTS,
        MAYBE_ENDS,
    ),
    st.builds(lambda name, event, ends: lambda store: store.delete_user(name, event, ends), USERS, EVENTS, ENDS),
    st.builds(lambda name: lambda store: store.upgrade_password_hash(name, old="hash 1", new="hash 2"), USERS),
    st.builds(lambda session: lambda store: create_session_once(store, session), SESSION_VALUES),
    st.builds(
        lambda session, event, secret: (
            lambda store: store.renew_session(
                replace(session, secret=b"renewed"), event, was=replace(session, secret=secret)
            )
        ),
        SESSION_VALUES,
        EVENTS,
        st.sampled_from([SESSION.secret, b"renewed"]),
    ),
    st.builds(lambda name, at: lambda store: store.touch_session(name, at), SESSIONS, TIMES),
    st.builds(
        lambda session, client, user, at: lambda store: store.note_client(session, client, subject=user, at=at),
        SESSIONS,
        CLIENTS,
        USERS,
        TIMES,
    ),
    st.builds(lambda now, limit: lambda store: take_logouts(store, now, limit), TIMES, SMALL),
    st.builds(
        lambda session, client, attempts, event, again: (
            lambda store: store.settle_logout(taken_logout(session, client, attempts), event, again=again)
        ),
        SESSIONS,
        CLIENTS,
        SMALL,
        EVENTS,
        st.none() | st.builds(lambda due_at: replace(LOGOUT, due_at=due_at, problem="again"), st.none() | TIMES),
    ),
    st.builds(
        lambda client, now: lambda store: store.retry_logouts(client_id=client, now=now), st.just("") | CLIENTS, TIMES
    ),
    st.builds(
        lambda user, client, scope, event: lambda store: store.give_consent(user, client, scope, event),
        USERS,
        CLIENTS,
        SCOPES,
        EVENTS,
    ),
    st.builds(
        lambda user, client, ended: lambda store: store.withdraw_consent(user, client, ended), USERS, CLIENTS, ENDS
    ),
    st.builds(
        lambda bucket, now, window: lambda store: store.count_attempt(bucket, now=now, window=window),
        USERS,
        TIMES,
        SMALL,
    ),
    st.builds(lambda bucket: lambda store: store.forget_attempts(bucket), USERS),
    st.builds(lambda value, until: lambda store: store.remember("jti", value, until=until), GRANTS, TIMES),
    st.builds(
        lambda key, newest: lambda store: store.add_key(key, EVENT, newest=newest),
        KEY_VALUES,
        st.sampled_from([None, "k1", "k2", "k3"]),
    ),
    st.builds(
        lambda kid, old, new: lambda store: store.reseal_key(kid, old=old, new=new),
        st.sampled_from(["k1", "k2"]),
        st.sampled_from([KEY.sealed, b"anew"]),
        st.sampled_from([b"anew", b"again"]),
    ),
    st.builds(
        lambda sealed, was: lambda store: store.keep_sealed_value("salt", sealed, was=was),
        st.sampled_from([b"salt", b"anew"]),
        st.sampled_from([None, b"salt", b"anew"]),
    ),
    st.builds(lambda kid, at: lambda store: store.retire_key(kid, at, EVENT), st.sampled_from(["k1", "k2"]), TIMES),
    st.builds(
        lambda now, keep: lambda store: store.purge(now=now, keep=keep, batch=100), st.integers(NOW, NOW + 600), SMALL
    ),
)


async def everything_in(store: AdminStore) -> list[object]:
    """Return all that can be read."""
    pairs = [(user, client) for user in ("ada", "bob") for client in ("spa", "web")]
    return [
        await store.sealed_value("salt"),
        [await store.device_authorization(grant_id=name) for name in ("g1", "g2", "g3")],
        [await store.device_authorization(user_code=code) for code in ("code 1", "code 2")],
        await store.grants(),
        await store.grants(live_only=True),
        [await store.grants(subject=user, client_id=client, session_id="s1") for user, client in pairs],
        await store.clients(),
        await store.idle_clients(before=NOW + 100, after="", limit=9),
        await store.initial_access_tokens(),
        await store.users(),
        [await store.user_by_login(login) for login in ("login 1", "login 2")],
        [await store.sessions_of(user) for user in ("ada", "bob")],
        [await store.session(name) for name in ("", "s1", "s2")],
        [await store.clients_of_session(name) for name in ("", "s1", "s2")],
        await store.expired_sessions(at=NOW + SessionLifetimes().idle + 100, after=""),
        await store.logouts(),
        [await store.logouts(client_id=client, given_up_only=True) for client in ("spa", "web")],
        [await store.consent(user, client) for user, client in pairs],
        [await store.consents_of(user) for user in ("ada", "bob")],
        [await store.remembers("jti", value) for value in ("g1", "g2", "g3")],
        await store.keys(),
        [await store.events(subject=user, client_id=client, limit=1000) for user, client in pairs],
        await store.events(limit=1000),
        await store.allows_origin("https://app.example"),
    ]


@asynccontextmanager
async def new_sqlite_store() -> AsyncIterator[AdminStore]:
    with TemporaryDirectory(prefix="everbearer-", dir=FAST) as folder:
        store = BlockingSQLiteStore(Path(folder, "everbearer.db"))
        await store.migrate()
        yield store
        await store.close()


FAST = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - a disk in memory where there is one


async def begin(store: AdminStore) -> None:
    """Store one of each, so that most verbs find something."""
    await store.put_client(CLIENT, EVENT)
    await store.create_initial_access_token(TOKEN, EVENT)
    await store.create_user(USER, EVENT)
    await store.create_session(replace(SESSION, session_id="s1"), EVENT)
    for name in ("g1", "g2"):
        await store.create_grant(new_grant(name, session_id="s1", offline=name == "g1"), EVENT)


@given(acts=st.lists(ACTS, min_size=10, max_size=40))
@settings(max_examples=150, deadline=None)
async def test_memory_and_sqlite_agree_on_every_sequence_of_verbs(acts: list[Act]) -> None:
    memory = MemoryStore()
    async with new_sqlite_store() as sqlite:
        await begin(memory)
        await begin(sqlite)
        for act in acts:
            assert await act(sqlite) == await act(memory)

        assert await everything_in(sqlite) == await everything_in(memory)


@given(acts=st.lists(ACTS, min_size=10, max_size=40))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_memory_and_postgresql_agree_on_every_sequence_of_verbs(
    postgresql: PostgreSQLServer, acts: list[Act]
) -> None:
    memory, store = MemoryStore(), PostgreSQLStore(emptied(postgresql, "agreeing"))
    await store.migrate()
    try:
        await begin(memory)
        await begin(store)
        for act in acts:
            assert await act(store) == await act(memory)

        assert await everything_in(store) == await everything_in(memory)
    finally:
        await store.close()
