"""What the configuration declares is created and updated at start, and nothing else is touched, on every store."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest
from argon2 import PasswordHasher

from everbearer.login.accounts import set_password
from everbearer.login.models import User
from everbearer.login.passwords import hash_password, needs_upgrade, password_matches
from everbearer.login.sign_in import Attempt, SignedIn, SignInLimits, sign_in
from everbearer.oauth.clients.authentication import CLIENT_SECRET
from everbearer.oauth.crypto.sealing import Sealer
from everbearer.oauth.events import Event, EventKind
from everbearer.oauth.models import DAY
from everbearer.server.config import Config, UserSection
from everbearer.server.config.clients import ClientSection
from everbearer.server.config.reading import ConfigError
from everbearer.server.declared import Applied, apply_declared
from everbearer.storage.store import AdminStore

T = TypeVar("T")

NOW = 1_700_000_000
SEALER = Sealer([b"x" * 32])
SECRET = "Zr8-q1ZbT0vXn4kPq7Lw2aYc5eHd9sJu"
WEB = ClientSection(
    client_id="web", type="web", client_secret=SECRET, redirect_uris=("https://a.example/cb",), scope="openid"
)
PASSWORD = "a long enough phrase"
USER = UserSection(login="Ada@Example.com", password=PASSWORD, subject="ada", claims={"email": "ada@example.com"})


async def at_once(work: Callable[[], T]) -> T:
    return work()


async def apply(
    store: AdminStore, *declared: ClientSection | UserSection, now: int = NOW, sealer: Sealer = SEALER
) -> Applied:
    config = Config(
        clients=tuple(each for each in declared if isinstance(each, ClientSection)),
        users=tuple(each for each in declared if isinstance(each, UserSection)),
    )
    return await apply_declared(config, store, sealer, run=at_once, now=now)


def changed(section: UserSection, **settings: object) -> UserSection:
    return UserSection(**{"login": section.login, "subject": "ada", "claims": section.claims, **settings})  # type: ignore[arg-type]  # each test names a key and its value


async def test_a_declared_client_is_created_with_its_secret_hashed(store: AdminStore) -> None:
    applied = await apply(store, WEB)

    client = await store.client("web")
    assert applied == Applied(clients=("web",))
    assert client is not None
    assert SEALER.keyed_hash_matches(CLIENT_SECRET, SECRET.encode(), client.secrets[0])
    assert client.created_at == NOW


async def test_applying_the_same_again_changes_nothing(store: AdminStore) -> None:
    await apply(store, WEB, USER)
    before = await store.events()

    assert await apply(store, WEB, USER, now=NOW + 60) == Applied()
    assert await store.events() == before


async def test_a_changed_client_is_updated_and_stays_disabled(store: AdminStore) -> None:
    await apply(store, WEB)
    client = await store.client("web")
    assert client is not None
    await store.put_client(replace(client, disabled_at=NOW + 1), Event(kind=EventKind.CLIENT_CHANGED, at=NOW))

    applied = await apply(store, ClientSection(client_id="web", type="web", client_secret=SECRET, scope="profile"))

    client = await store.client("web")
    assert applied.clients == ("web",)
    assert client is not None
    assert (client.scope, client.disabled_at, client.created_at) == (("profile",), NOW + 1, NOW)


async def test_a_new_server_secret_hashes_client_secrets_anew(store: AdminStore) -> None:
    await apply(store, WEB)
    newer = Sealer([b"new" * 16, b"x" * 32])

    await apply(store, WEB, sealer=newer)

    client = await store.client("web")
    assert client is not None
    assert client.secrets == (newer.keyed_hash(CLIENT_SECRET, SECRET.encode()),)


async def test_what_is_not_declared_any_more_stays(store: AdminStore) -> None:
    await apply(store, WEB, USER)
    await apply(store)

    assert await store.client("web") is not None
    assert await store.user("ada") is not None


async def test_a_declared_user_is_created(store: AdminStore) -> None:
    applied = await apply(store, USER)

    user = await store.user_by_login("ada@example.com")
    assert applied == Applied(users=("Ada@Example.com",))
    assert user is not None
    assert (user.subject, user.claims) == ("ada", {"email": "ada@example.com"})
    assert password_matches(user.password_hash, PASSWORD)


async def test_changed_claims_end_nothing(store: AdminStore) -> None:
    await apply(store, USER)
    await apply(store, changed(USER, password=PASSWORD, claims={"email": "new@example.com"}), now=NOW + 1)

    user = await store.user("ada")
    assert user is not None
    assert (user.claims, user.epoch) == ({"email": "new@example.com"}, 0)


async def test_a_changed_password_ends_all_grants_of_the_user(store: AdminStore) -> None:
    await apply(store, USER)
    await apply(store, changed(USER, password="another long phrase"), now=NOW + 1)

    user = await store.user("ada")
    assert user is not None
    assert password_matches(user.password_hash, "another long phrase")
    assert user.epoch == 1


async def test_a_password_comes_from_a_file(store: AdminStore, tmp_path: Path) -> None:
    (tmp_path / "p").write_text(PASSWORD + "\n")
    await apply(store, changed(USER, password_file=str(tmp_path / "p")))

    user = await store.user("ada")
    assert user is not None
    assert password_matches(user.password_hash, PASSWORD)


async def test_a_password_comes_as_a_hash_and_a_changed_one_ends_all_grants(store: AdminStore) -> None:
    first, second = hash_password(PASSWORD), hash_password("another long phrase")
    await apply(store, changed(USER, password_hash=first))
    again = await apply(store, changed(USER, password_hash=first))
    await apply(store, changed(USER, password_hash=second))

    user = await store.user("ada")
    assert again == Applied()
    assert user is not None
    assert (user.password_hash, user.epoch) == (second, 1)


OLD_PARAMETERS = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=2).hash(PASSWORD)


async def test_the_upgrade_of_a_declared_hash_is_not_undone_at_the_next_start(store: AdminStore) -> None:
    await apply(store, changed(USER, password_hash=OLD_PARAMETERS))
    attempt = Attempt(login="ada@example.com", password=PASSWORD)
    assert isinstance(await sign_in(attempt, store=store, run=at_once, now=NOW + 1, limits=SignInLimits()), SignedIn)
    upgraded = await store.user("ada")

    assert await apply(store, changed(USER, password_hash=OLD_PARAMETERS), now=NOW + 2) == Applied()
    assert upgraded is not None
    assert not needs_upgrade(upgraded.password_hash)
    assert await store.user("ada") == upgraded
    assert len(await store.sessions_of("ada")) == 1


async def test_a_hash_that_comes_back_to_the_file_is_applied_again(store: AdminStore) -> None:
    first, second = OLD_PARAMETERS, hash_password("another long phrase")
    hashes = []
    for now, declared in enumerate((first, second, second, first, first), start=NOW):
        await apply(store, changed(USER, password_hash=declared), now=now)
        user = await store.user("ada")
        assert user is not None
        hashes.append((user.password_hash, user.epoch))

    assert hashes == [(first, 0), (second, 1), (second, 1), (first, 2), (first, 2)]


async def test_a_hash_that_comes_back_after_a_password_is_applied_again(store: AdminStore) -> None:
    await apply(store, changed(USER, password_hash=OLD_PARAMETERS))
    await apply(store, changed(USER, password="another long phrase"), now=NOW + 1)

    applied = await apply(store, changed(USER, password_hash=OLD_PARAMETERS), now=NOW + 2)

    user = await store.user("ada")
    assert applied.users == (USER.login,)
    assert user is not None
    assert (user.password_hash, user.epoch) == (OLD_PARAMETERS, 2)


async def test_a_password_set_since_is_not_undone_by_the_same_hash(store: AdminStore) -> None:
    await apply(store, changed(USER, password_hash=OLD_PARAMETERS))
    user = await store.user("ada")
    assert user is not None
    await set_password(user, "another long phrase", store=store, run=at_once, now=NOW + 1, actor="admin:test")

    assert await apply(store, changed(USER, password_hash=OLD_PARAMETERS), now=NOW + 2) == Applied()


async def test_a_hash_that_the_user_has_already_is_noted_and_ends_nothing(store: AdminStore) -> None:
    user = User(subject="ada", login="ada@example.com", password_hash=OLD_PARAMETERS, claims=USER.claims)
    await store.create_user(user, Event(kind=EventKind.USER_CREATED, at=NOW))

    assert await apply(store, changed(USER, password_hash=OLD_PARAMETERS), now=NOW + 1) == Applied()
    await store.upgrade_password_hash("ada", old=OLD_PARAMETERS, new="upgraded")
    assert await apply(store, changed(USER, password_hash=OLD_PARAMETERS), now=NOW + 2) == Applied()


async def test_which_hash_was_applied_is_never_purged(store: AdminStore) -> None:
    await apply(store, changed(USER, password_hash=OLD_PARAMETERS))
    await store.upgrade_password_hash("ada", old=OLD_PARAMETERS, new="upgraded")
    await store.purge(now=NOW + 100 * 365 * DAY, keep=0, batch=100)

    assert await apply(store, changed(USER, password_hash=OLD_PARAMETERS), now=NOW + 1) == Applied()


async def test_a_user_without_a_password_keeps_the_one_set_by_command(store: AdminStore) -> None:
    await apply(store, USER)

    assert await apply(store, changed(USER)) == Applied()
    user = await store.user("ada")
    assert user is not None
    assert password_matches(user.password_hash, PASSWORD)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"password": "short"}, "user Ada@Example.com: password: is shorter than 8 characters; choose a longer one"),
        ({"password": "x" * 129 + "abcdefg"}, "is longer than 128 characters"),
        ({"password": "password1"}, "is among the first that anybody guesses"),
        ({"password": "ada@example.com"}, "is the login itself"),
        ({"password_file": "/nowhere"}, "/nowhere: the secret cannot be read"),
    ],
)
async def test_a_password_that_cannot_be_taken_is_told(store: AdminStore, settings: dict[str, str], told: str) -> None:
    with pytest.raises(ConfigError) as refused:
        await apply(store, changed(USER, **settings))

    assert told in str(refused.value)


async def test_a_weak_new_password_of_an_existing_user_is_told(store: AdminStore) -> None:
    await apply(store, USER)

    with pytest.raises(ConfigError, match="is shorter than 8 characters"):
        await apply(store, changed(USER, password="short"))


async def test_a_subject_never_changes(store: AdminStore) -> None:
    await apply(store, USER)

    with pytest.raises(ConfigError, match="the user is stored as ada, and a subject never changes"):
        await apply(store, changed(USER, subject="other"))


@pytest.mark.parametrize("secret", [{"password": PASSWORD}, {"password_hash": hash_password(PASSWORD)}])
async def test_a_subject_that_is_somebody_elses_is_told(store: AdminStore, secret: dict[str, str]) -> None:
    await apply(store, USER)

    with pytest.raises(ConfigError, match=r"user bob: .*write another login or subject"):
        await apply(store, changed(USER, login="bob", **secret))
