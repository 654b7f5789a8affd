"""What the configuration declares is created and updated at start, and nothing else is touched, on every store."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest

from everbearer.login.passwords import hash_password, password_matches
from everbearer.oauth.events import Event, EventKind
from everbearer.oauth.sealing import Sealer
from everbearer.server.config import ClientSection, Config, UserSection
from everbearer.server.config_reading import ConfigError
from everbearer.server.declared import CLIENT_SECRET, Applied, apply_declared
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
