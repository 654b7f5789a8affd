"""A refresh racing each kind of end, a hundred rounds each, in threads over one SQLite file: it never wins for good."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from threading import Barrier
from typing import TypeAlias

import pytest

from everbearer.login.models import User
from everbearer.login.store import UserChange
from everbearer.oauth.authorization_server import AuthorizationServer
from everbearer.oauth.client import Client
from everbearer.oauth.models import Ended, EndReason, Everything, Grant
from everbearer.storage.sqlite import BlockingSQLiteStore
from heart.exploring import finish
from heart.heart_world import (
    NOW,
    SPA,
    SUBJECT,
    Answer,
    Clock,
    code_of,
    created,
    fill,
    new_grant,
    redeem,
    refresh,
    refreshed_grant,
    revoke,
    server_over,
    token_of,
    userinfo,
)

ROUNDS = 100
GENERATION = 4
EVENT = created(new_grant(SPA))


@dataclass(frozen=True, kw_only=True)
class Race:
    """A database, and a server over it whose clock stands still."""

    store: BlockingSQLiteStore
    clock: Clock = field(default_factory=Clock)

    @property
    def server(self) -> AuthorizationServer:
        return server_over(self.store, self.clock)

    def ended(self, reason: EndReason) -> Ended:
        return Ended(reason=reason, actor="admin:test", at=self.clock.now)

    def user(self) -> User:
        user = finish(self.store.user(SUBJECT))
        assert user is not None
        return user

    def change(self, user: User, *, ends: Ended | None = None) -> None:
        change = finish(self.store.change_user(user, EVENT, was=self.user(), ends=ends))
        assert change is UserChange.CHANGED


End: TypeAlias = Callable[[Race, Grant], object]


def the_client_revokes(race: Race, grant: Grant) -> None:
    assert finish(revoke(race.server, token_of(grant, GENERATION))).ok


def the_user_revokes(race: Race, grant: Grant) -> None:
    finish(race.store.end_grant(grant.grant_id, race.ended(EndReason.REVOKED_BY_USER)))


def the_password_is_changed(race: Race, grant: Grant) -> None:  # noqa: ARG001 - an end
    changed = replace(race.user(), password_hash="another")
    race.change(changed, ends=race.ended(EndReason.PASSWORD_CHANGED))


def the_user_is_disabled(race: Race, grant: Grant) -> None:  # noqa: ARG001 - an end
    disabled = replace(race.user(), disabled_at=NOW)
    race.change(disabled, ends=race.ended(EndReason.USER_DISABLED))


def the_consent_is_withdrawn(race: Race, grant: Grant) -> None:
    ended = race.ended(EndReason.CONSENT_WITHDRAWN)
    finish(race.store.withdraw_consent(grant.subject, grant.client_id, ended))


def the_client_is_disabled(race: Race, grant: Grant) -> None:  # noqa: ARG001 - an end
    ended = race.ended(EndReason.CLIENT_DISABLED)
    finish(race.store.put_client(replace(SPA, disabled_at=NOW), EVENT, ends=ended))


def the_client_is_deleted(race: Race, grant: Grant) -> None:
    assert finish(race.store.delete_client(grant.client_id, EVENT, race.ended(EndReason.CLIENT_DELETED)))


def the_code_comes_again(race: Race, grant: Grant) -> None:
    assert not finish(redeem(race.server, SPA, code_of(replace(grant, generation=0)))).ok


def an_old_token_comes_again(race: Race, grant: Grant) -> None:
    assert not finish(refresh(race.server, SPA, token_of(grant, 1))).ok


def the_user_signs_out(race: Race, grant: Grant) -> None:
    session_id = grant.authentication.session_id
    finish(race.store.end_all(Everything.SESSION, session_id, race.ended(EndReason.SIGNED_OUT)))


ENDS: dict[End, EndReason] = {
    the_client_revokes: EndReason.REVOKED_BY_CLIENT,
    the_user_revokes: EndReason.REVOKED_BY_USER,
    the_password_is_changed: EndReason.PASSWORD_CHANGED,
    the_user_is_disabled: EndReason.USER_DISABLED,
    the_consent_is_withdrawn: EndReason.CONSENT_WITHDRAWN,
    the_client_is_disabled: EndReason.CLIENT_DISABLED,
    the_client_is_deleted: EndReason.CLIENT_DELETED,
    the_code_comes_again: EndReason.CODE_REPLAYED,
    an_old_token_comes_again: EndReason.REUSED,
}


@pytest.fixture
def race(tmp_path: Path) -> Iterator[Race]:
    race = Race(store=BlockingSQLiteStore(tmp_path / "everbearer.db"))
    finish(race.store.migrate())
    finish(race.store.create_user(User(subject=SUBJECT, login=SUBJECT), EVENT))
    yield race
    finish(race.store.close())


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as threads:
        yield threads


def run_against(threads: ThreadPoolExecutor, first: Callable[[], Answer], second: Callable[[], object]) -> Answer:
    """Let two begin at the same instant, and return what the first was answered."""
    line = Barrier(2)

    def begin(act: Callable[[], object]) -> object:
        line.wait()
        return act()

    both: tuple[Callable[[], object], ...] = (first, second)
    acts = [threads.submit(begin, act) for act in both]
    answer, _ = [act.result(120) for act in acts]
    assert isinstance(answer, Answer)
    return answer


def refreshes(race: Race, token: str) -> Answer:
    return finish(refresh(race.server, SPA, token))


def redeems(race: Race, code: str) -> Answer:
    return finish(redeem(race.server, SPA, code))


def ready(race: Race, grant: Grant, client: Client = SPA) -> Grant:
    """Put a grant into the database, of a client and a user whom nothing has happened to yet."""
    finish(race.store.put_client(client, EVENT))
    race.change(replace(race.user(), disabled_at=None))
    finish(fill(race.store, grant))
    return grant


@pytest.mark.rt("RT-50", "RT-53", "RT-54", "RT-55", "RT-56", "RT-57", "RT-58")
@pytest.mark.parametrize("end", ENDS, ids=lambda end: end.__name__)
def test_a_refresh_in_flight_never_outlives_its_end(race: Race, threads: ThreadPoolExecutor, end: End) -> None:
    for number in range(ROUNDS):
        grant = ready(race, refreshed_grant(SPA, GENERATION, number=number))
        token = token_of(grant, GENERATION)
        run_against(threads, partial(refreshes, race, token), partial(end, race, grant))
        stored = finish(race.store.grant(grant.grant_id))

        assert stored is not None
        assert stored.ended is not None
        assert stored.ended.reason is ENDS[end]
        finish(race.store.put_client(SPA, EVENT))
        for held in (token, token_of(grant, GENERATION + 1), token_of(grant, GENERATION + 2)):
            assert finish(refresh(race.server, SPA, held)).reason == ENDS[end]


@pytest.mark.rt("RT-52", "RT-58")
def test_a_redemption_in_flight_never_outlives_the_session(race: Race, threads: ThreadPoolExecutor) -> None:
    for number in range(ROUNDS):
        grant = new_grant(SPA, number=number, offline=False)
        signed_in = replace(grant.authentication, session_id=f"session-{number}")
        grant = ready(race, replace(grant, authentication=signed_in))
        code = code_of(grant)
        answer = run_against(threads, partial(redeems, race, code), partial(the_user_signs_out, race, grant))
        stored = finish(race.store.grant(grant.grant_id))

        assert stored is not None
        assert stored.ended is not None
        assert stored.ended.reason is EndReason.SIGNED_OUT
        assert not answer.ok or finish(userinfo(race.server, answer.access_token)).status == 401
