"""Honest clients, thieves, ends, time, restored backups and changed policies in any order: all as the model says."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import apsw
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from everbearer.login.models import User
from everbearer.login.store import UserChange
from everbearer.oauth.client import Client
from everbearer.oauth.models import Ended, EndReason, Everything, Happening
from everbearer.storage.memory import MemoryStore
from everbearer.storage.sqlite import BlockingSQLiteStore
from everbearer.storage.store import AdminStore
from heart import model
from heart.exploring import finish
from heart.heart_world import (
    API,
    CLIENTS,
    Answer,
    Clock,
    code_of,
    created,
    fill,
    introspect,
    new_grant,
    redeem,
    refresh,
    revoke,
    server_over,
    token_of,
    userinfo,
)
from heart.model import ModelClient, ModelGrant

SUBJECTS = ("ada", "grace")
KEYS = ("", "", "one", "two")
MOMENTS = (1, 9, 11, 61, 121)
STEPS = (*MOMENTS, *MOMENTS, 601, 601, 1801, 86400, 8 * 86400, 31 * 86400)
RARELY = st.sampled_from((False, False, True))
"""For what would leave too little to happen afterwards."""
MOST_GRANTS = 4
PICK = st.integers(min_value=0, max_value=50)
"""Which of those there are, counted around."""
ADMIN = "admin:test"
ARRIVED, TOLD_BY_ARRIVAL = "arrived", "reused after its answer had arrived"


class Heart(RuleBasedStateMachine):
    """All that anybody can do to a few grants, done to the endpoints and to the model."""

    on_sqlite: ClassVar[bool]
    met: ClassVar[Counter[str]] = Counter()
    """What refreshes came to, over all examples."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.file = self.folder / "everbearer.db"
        self.store: AdminStore = BlockingSQLiteStore(self.file) if self.on_sqlite else MemoryStore()
        self.clock = Clock()
        self.server = server_over(self.store, self.clock)
        self.clients: dict[str, Client] = {}
        self.settings: dict[str, ModelClient] = {}
        self.grants: list[ModelGrant] = []
        self.tokens: dict[tuple[int, int], str] = {}
        """Each refresh token ever answered with, by the number of its grant and its generation."""
        self.access_tokens: list[tuple[str, int, int, int]] = []
        """Each access token, the number of its grant, its generation, and when it expires."""
        self.backups: dict[int, tuple[Any, ModelGrant]] = {}
        self.dead: set[int] = set()
        """The grants that have been seen to have ended by somebody's act."""
        finish(self.store.migrate())

    def teardown(self) -> None:
        finish(self.store.close())
        shutil.rmtree(self.folder)

    # Beginnings

    @initialize()
    def know_everybody(self) -> None:
        for client in CLIENTS:
            self.put(client)
        for subject in SUBJECTS:
            user = User(subject=subject, login=subject)
            assert finish(self.store.create_user(user, created(new_grant(client))))

    @rule(client=PICK, subject=st.sampled_from(SUBJECTS), offline=st.sampled_from((True, True, True, False)))
    def sign_in(self, client: int, subject: str, offline: bool) -> None:
        chosen = list(self.clients.values())[client % len(self.clients)]
        too_many = sum(not grant.end for grant in self.grants) >= MOST_GRANTS
        if too_many or self.settings[chosen.client_id].disabled or chosen.client_id == API.client_id:
            return
        number, now = len(self.grants), self.clock.now
        grant = new_grant(chosen, at=now, number=number, subject=subject, offline=offline)
        authentication = replace(grant.authentication, session_id=f"session-{number}")
        # As a sign-in does: the client is read when the request comes, and its epoch with it.
        finish(fill(self.store, replace(grant, authentication=authentication)))
        answer = finish(redeem(self.server, chosen, code_of(grant)))
        self.grants.append(
            ModelGrant(
                client=chosen.client_id, subject=subject, offline=offline, created_at=now, used_at=now, issued_at=now
            )
        )

        assert answer.ok
        assert ("refresh_token" in answer.members) is offline
        self.received(number, 1, answer)

    # Requests

    @precondition(lambda self: self.tokens)
    @rule(token=PICK, key=st.sampled_from(KEYS), wide=st.sampled_from((False, False, False, True)))
    def anybody_refreshes(self, token: int, key: str, wide: bool) -> None:
        """Present any token ever issued: as an honest client that lost answers, as a tab, or as a thief."""
        self.refreshed(*self.pick(token), key=key, wide=wide)

    @precondition(lambda self: self.tokens)
    @rule(grant=PICK, key=st.sampled_from(KEYS))
    def the_owner_refreshes(self, grant: int, key: str) -> None:
        self.refreshed(*self.owned(grant)[-1], key=key)

    @precondition(lambda self: self.tokens)
    @rule(grant=PICK, key=st.sampled_from(KEYS), tries=st.integers(min_value=1, max_value=3))
    def the_owner_tries_again(self, grant: int, key: str, tries: int) -> None:
        """Present what was newest before: the answer was lost, or another tab had it."""
        owned = self.owned(grant)
        for _ in range(tries):
            self.refreshed(*owned[max(0, len(owned) - 2)], key=key)

    @precondition(lambda self: self.tokens)
    @rule(grant=PICK, wait=st.sampled_from((1, 11, 61)), rounds=st.integers(min_value=1, max_value=3))
    def a_thief_keeps_step(self, grant: int, wait: int, rounds: int) -> None:
        """Refresh, and have another come with the same token a little later; several times in a row."""
        for _ in range(rounds):
            owned = self.owned(grant)
            self.refreshed(*owned[-1])
            self.clock.advance(wait)
            self.refreshed(*owned[-1])

    @precondition(lambda self: self.tokens)
    @rule(token=PICK, client=PICK)
    def another_client_refreshes(self, token: int, client: int) -> None:
        number, generation = self.pick(token)
        self.refreshed(number, generation, client=list(self.clients)[client % len(self.clients)])

    @precondition(lambda self: self.tokens)
    @rule(token=PICK, at=PICK)
    def somebody_invents_a_token(self, token: int, at: int) -> None:
        number, generation = self.pick(token)
        text = self.tokens[number, generation]
        place = 4 + at % (len(text) - 4)
        forged = text[:place] + ("A" if text[place] != "A" else "B") + text[place + 1 :]
        client = self.clients[self.grants[number].client]
        answer = finish(refresh(self.server, client, forged))

        assert answer.error in {"invalid_grant", "invalid_client"}

    @precondition(lambda self: self.access_tokens)
    @rule(token=PICK, by_introspection=st.booleans())
    def an_access_token_is_used(self, token: int, by_introspection: bool) -> None:
        text, number, generation, expires_at = self.access_tokens[token % len(self.access_tokens)]
        grant = self.grants[number]
        client = self.settings[grant.client]
        good = self.clock.now < expires_at and not client.disabled and grant.alive(client, self.clock.now)
        if by_introspection:
            active = finish(introspect(self.server, text)).members["active"]
        else:
            active = finish(userinfo(self.server, text)).ok
        late_enough = self.clock.now - grant.issued_at > client.arrival_after
        if good and generation == grant.newest and client.rotates and grant.offline and late_enough:
            grant.arrived = True
            self.met[ARRIVED] += 1

        assert active is good

    @precondition(lambda self: self.tokens)
    @rule(token=PICK)
    def a_refresh_token_is_introspected(self, token: int) -> None:
        number, generation = self.pick(token)
        grant = self.grants[number]
        client = self.settings[grant.client]
        newest = generation >= grant.newest
        answer = finish(introspect(self.server, self.tokens[number, generation]))

        assert answer.members["active"] is (newest and not client.disabled and grant.alive(client, self.clock.now))

    @precondition(lambda self: self.tokens)
    @rule(token=PICK, now=RARELY)
    def a_token_is_revoked(self, token: int, now: bool) -> None:
        if not now:
            return
        number, generation = self.pick(token)
        grant = self.grants[number]
        answer = finish(revoke(self.server, self.tokens[number, generation]))
        if not grant.end:
            grant.own_end = "revoked_by_client"

        assert answer.ok

    # Time, operators and disasters

    @rule(seconds=st.sampled_from(STEPS))
    def time_passes(self, seconds: int) -> None:
        self.clock.advance(seconds)

    @rule(
        client=PICK,
        window=st.sampled_from((None, None, 0, 60, 600)),
        limit=st.sampled_from((None, 1, 3, 3)),
        retries=st.sampled_from((2, 200, 200)),
        arrival=st.sampled_from((0, 120, 120)),
        rotates=st.booleans(),
    )
    def the_policy_changes(
        self, client: int, window: int | None, limit: int | None, retries: int, arrival: int, rotates: bool
    ) -> None:
        changed = list(self.clients.values())[client % len(self.clients)]
        policy = replace(
            changed.rotation,
            retry_window=window,
            late_limit=limit,
            retry_limit=retries,
            arrival_after=arrival,
            rotate=changed.public or rotates,
        )
        self.put(replace(changed, rotation=policy))

    @rule(client=PICK, idle=st.sampled_from((None, 86400, 30 * 86400)), absolute=st.sampled_from((1, 52)))
    def the_lifetimes_change(self, client: int, idle: int | None, absolute: int) -> None:
        changed = list(self.clients.values())[client % len(self.clients)]
        lifetimes = replace(changed.lifetimes, refresh_token_idle=idle, refresh_token=absolute * 7 * 86400)
        self.put(replace(changed, lifetimes=lifetimes))

    @precondition(lambda self: self.grants)
    @rule(grant=PICK, everything=st.sampled_from(("user", "client", "consent", "session")), now=RARELY)
    def all_is_ended(self, grant: int, everything: str, now: bool) -> None:
        if not now:
            return
        named = self.grants[grant % len(self.grants)]
        number = grant % len(self.grants)
        at = self.clock.now
        if everything == "user":
            ended = Ended(reason=EndReason.PASSWORD_CHANGED, actor=f"user:{named.subject}", at=at)
            user = finish(self.store.user(named.subject))
            assert user is not None
            changed = finish(self.store.change_user(user, created(new_grant(API)), was=user, ends=ended))
            assert changed is UserChange.CHANGED
        elif everything == "client":
            ended = Ended(reason=EndReason.CLIENT_DISABLED, actor=ADMIN, at=at)
            self.put(replace(self.clients[named.client], disabled_at=at), ends=ended)
        elif everything == "consent":
            ended = Ended(reason=EndReason.CONSENT_WITHDRAWN, actor=f"user:{named.subject}", at=at)
            finish(self.store.withdraw_consent(named.subject, named.client, ended))
        else:
            ended = Ended(reason=EndReason.SIGNED_OUT, actor=f"user:{named.subject}", at=at)
            finish(self.store.end_all(Everything.SESSION, f"session-{number}", ended))
        for other, grant_ in enumerate(self.grants):
            if _falls_under(everything, grant_, named, same=other == number):
                place = ("user", "client", "consent", "session").index(everything)
                grant_.other_ends.setdefault(everything, (at, place, ended.reason))

    @rule(client=PICK)
    def a_client_is_enabled(self, client: int) -> None:
        self.put(replace(list(self.clients.values())[client % len(self.clients)], disabled_at=None))

    @precondition(lambda self: self.grants)
    @rule(grant=PICK)
    def a_backup_is_made(self, grant: int) -> None:
        number = grant % len(self.grants)
        if not self.grants[number].end:
            self.backups[number] = self.row(number), replace(self.grants[number])

    @precondition(lambda self: self.backups)
    @rule(grant=PICK, noticed=st.booleans())
    def a_backup_is_restored(self, grant: int, noticed: bool) -> None:
        """Set a row back; what was issued since is then newer than the store knows. An end is not undone here."""
        number = list(self.backups)[grant % len(self.backups)]
        if self.grants[number].own_end:
            return
        row, known = self.backups[number]
        self.put_row(number, row)
        self.grants[number] = replace(known, other_ends=self.grants[number].other_ends)
        mine = [token for token in self.tokens if token[0] == number]
        if noticed and mine:
            self.refreshed(*max(mine))

    # What must hold after each

    @invariant()
    def the_rows_are_as_the_model_says(self) -> None:
        for number, grant in enumerate(self.grants):
            row = finish(self.store.grant(self.grant_id(number)))
            assert row is not None
            assert (row.ended.reason if row.ended else "") == grant.end
            if not grant.end:
                assert (row.generation, row.used_at) == (grant.newest, grant.used_at)
                assert (row.rotated_at, row.retries) == (grant.issued_at, grant.retries)

    @invariant()
    def what_has_ended_stays_ended(self) -> None:
        ended = {number for number, grant in enumerate(self.grants) if grant.end}
        assert ended >= self.dead
        self.dead = ended

    # The means

    def pick(self, token: int) -> tuple[int, int]:
        return list(self.tokens)[token % len(self.tokens)]

    def owned(self, grant: int) -> list[tuple[int, int]]:
        """Return all tokens of one grant, a live one where there is any, oldest first."""
        numbers = sorted({number for number, _ in self.tokens})
        live = [number for number in numbers if not self.grants[number].end] or numbers
        return sorted(token for token in self.tokens if token[0] == live[grant % len(live)])

    def grant_id(self, number: int) -> str:
        return new_grant(API, number=number).grant_id

    def refreshed(self, number: int, generation: int, *, client: str = "", key: str = "", wide: bool = False) -> None:
        grant = self.grants[number]
        by = self.clients[client or grant.client]
        scope = "openid profile address" if wide else ""
        answer = finish(refresh(self.server, by, self.tokens[number, generation], key=key, scope=scope))
        if self.settings[by.client_id].disabled:
            assert answer.error == "invalid_client"
            return
        told_by_arrival = grant.arrived and not grant.end and generation == grant.newest - 1
        expected = model.refresh(grant, self.settings[by.client_id], generation, now=self.clock.now, key=key, wide=wide)
        self.met[expected.reason or expected.answer] += 1
        self.met[TOLD_BY_ARRIVAL] += told_by_arrival and expected.reason == EndReason.REUSED
        if expected.answer == model.OK:
            assert answer.ok
            row = finish(self.store.grant(self.grant_id(number)))
            self.met[row.history[-1].happening if row else ""] += 1
            self.received(number, expected.generation, answer)
            over_at = grant.created_at + self.settings[grant.client].absolute
            assert answer.members["authorization_expires_in"] == over_at - self.clock.now
        else:
            assert (answer.error, answer.reason) == (expected.answer, expected.reason)

    def received(self, number: int, generation: int, answer: Answer) -> None:
        """Keep what was answered. A generation has one refresh token, whoever gets it, however often."""
        if self.grants[number].offline:
            grant = new_grant(self.clients[self.grants[number].client], number=number)
            assert answer.refresh_token == token_of(grant, generation)
            assert self.tokens.setdefault((number, generation), answer.refresh_token) == answer.refresh_token
        expires_at = self.clock.now + answer.members["expires_in"]
        self.access_tokens.append((answer.access_token, number, generation, expires_at))

    def put(self, client: Client, *, ends: Ended | None = None) -> None:
        finish(self.store.put_client(client, created(new_grant(client)), ends=ends))
        self.clients[client.client_id] = client
        policy, lifetimes = client.rotation, client.lifetimes
        self.settings[client.client_id] = ModelClient(
            name=client.client_id,
            public=client.public,
            rotates=client.public or policy.rotate is True,
            window=policy.retry_window,
            late_limit=policy.late_limit,
            retry_limit=policy.retry_limit,
            arrival_after=policy.arrival_after,
            idle=lifetimes.refresh_token_idle,
            absolute=lifetimes.refresh_token,
            disabled=client.disabled_at is not None,
        )

    def row(self, number: int) -> Any:
        if isinstance(self.store, MemoryStore):
            return self.store.tables.grants[self.grant_id(number)]
        return self.at_the_database("SELECT * FROM grants WHERE grant_id = ?", [self.grant_id(number)])[0]

    def put_row(self, number: int, row: Any) -> None:
        if isinstance(self.store, MemoryStore):
            self.store.tables.grants[self.grant_id(number)] = row
        else:
            self.at_the_database(f"REPLACE INTO grants VALUES ({', '.join('?' * len(row))})", row)  # noqa: S608 - places

    def at_the_database(self, statement: str, values: Any) -> list[Any]:
        connection: Any = apsw.Connection(str(self.file))
        try:
            return list(connection.execute(statement, values))
        finally:
            connection.close()


def _falls_under(everything: str, grant: ModelGrant, named: ModelGrant, *, same: bool) -> bool:
    if everything == "user":
        return grant.subject == named.subject
    if everything == "client":
        return grant.client == named.client
    if everything == "consent":
        return (grant.subject, grant.client) == (named.subject, named.client)
    return same and not grant.offline


CORE: set[str] = {
    *(Happening.ROTATED, Happening.REFRESHED, Happening.RETRIED, Happening.RETRIED_LATE),
    *(EndReason.REUSED, ARRIVED, TOLD_BY_ARRIVAL),
}
EVERYTHING = CORE | {
    *(Happening.RECOVERED, EndReason.LATE_RETRIES, EndReason.EXPIRED_IDLE, EndReason.EXPIRED_ABSOLUTE),
    *(EndReason.REVOKED_BY_CLIENT, EndReason.PASSWORD_CHANGED, EndReason.CONSENT_WITHDRAWN, EndReason.CLIENT_DISABLED),
    *(model.REFUSED, model.WIDE),
}
"""What the examples must come to between them, or they prove nothing of it."""


class HeartInMemory(Heart):
    on_sqlite = False


class HeartOnSQLite(Heart):
    on_sqlite = True


@pytest.mark.rt("RT-67")
@pytest.mark.parametrize(
    ("machine", "examples", "meets"),
    [(HeartInMemory, 600, EVERYTHING), (HeartOnSQLite, 200, CORE)],
    ids=["memory", "sqlite"],
)
def test_whatever_happens_the_endpoints_do_as_the_model_does(
    machine: type[Heart], examples: int, meets: set[str]
) -> None:
    machine.met.clear()
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=60,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )

    assert set(machine.met) >= meets
