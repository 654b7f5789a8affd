"""The life of signing keys: made at first start, sealed at rest, published before they sign and kept after they did."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from everbearer.login.passwords import RunHeavy
from everbearer.oauth.crypto.keys import (
    KeySet,
    SigningKey,
    generate_signing_key,
    signing_key_from_jwk,
    signing_key_to_jwk,
)
from everbearer.oauth.crypto.sealing import Sealer
from everbearer.oauth.events import Event, EventKind
from everbearer.server.config import KeysSection
from everbearer.storage.store import AdminStore, StoredKey

PURPOSE = "signing key"
RELOAD_AFTER = 30
"""Seconds for which a running server does not look whether another process has made a new key."""


class KeysUnreadable(Exception):
    """A stored key cannot be unsealed with the server's secrets."""


class NoSuchKey(Exception):
    """There is no key of the id that can be withdrawn."""


class SigningKeys:
    """The keys of a running server, as last read from the store. Calling it gives those of the moment."""

    def __init__(self, store: AdminStore, sealer: Sealer, now: Callable[[], int]) -> None:
        self._store = store
        self._sealer = sealer
        self._now = now
        self._opened: dict[str, SigningKey] = {}
        self._stored: Sequence[StoredKey] = ()
        self._read_at: int | None = None
        self._told: tuple[int, KeySet] | None = None

    def __call__(self) -> KeySet:
        """Return the keys that sign and those that are published now; `refresh` must have been awaited once."""
        now = self._now()
        # What holds for a second is worked out once in it: every token asks.
        if self._told is None or self._told[0] != now:
            self._told = now, key_set(self._stored, self._opened, now)
        return self._told[1]

    def signing_since(self) -> Mapping[str, int]:
        """Return since when the key of each algorithm has signed."""
        signing = {key.kid for key in self().signing.values()}
        return {key.alg: key.active_at for key in self._stored if key.kid in signing}

    async def refresh(self, *, at_once: bool = False) -> None:
        """Read the keys anew if that was not done lately. Those that are retired are neither opened nor needed.

        Raises:
            KeysUnreadable: another was sealed with a secret that is gone.

        """
        now = self._now()
        if not at_once and self._read_at is not None and now - self._read_at < RELOAD_AFTER:
            return
        stored = [key for key in await self._store.keys() if not _is_retired(key, now)]
        opened = {key.kid: self._opened.get(key.kid) or open_key(key, self._sealer) for key in stored}
        self._stored, self._opened, self._read_at, self._told = stored, opened, now, None


def key_set(stored: Iterable[StoredKey], opened: dict[str, SigningKey], now: int) -> KeySet:
    """Return which of the keys, oldest first, sign and which are published at a time."""
    published = [key for key in stored if not _is_retired(key, now)]
    signing = {alg: opened[key.kid] for alg, key in _signing(published, now).items()}
    return KeySet(signing=signing, published=tuple(opened[key.kid] for key in published))


def _signing(published: Iterable[StoredKey], now: int) -> dict[str, StoredKey]:
    signing: dict[str, StoredKey] = {}
    # The latest made of those that are active signs; where none is yet, the first that will be.
    for key in published:
        if key.active_at <= now or key.alg not in signing:
            signing[key.alg] = key
    return signing


def _is_retired(key: StoredKey, now: int) -> bool:
    return key.retired_at is not None and key.retired_at <= now


def open_key(key: StoredKey, sealer: Sealer) -> SigningKey:
    """Return a stored key unsealed.

    Raises:
        KeysUnreadable: it was sealed with a secret that is gone.

    """
    private = sealer.unseal(PURPOSE, key.sealed)
    if private is None:
        raise KeysUnreadable(
            f"the signing key {key.kid} was sealed with another secret than the server has now: "
            "add the earlier secret after the new one, separated by a comma or on a line of its own"
        )
    return signing_key_from_jwk(private)


async def tend_keys(
    store: AdminStore, sealer: Sealer, settings: KeysSection, *, now: int, run: RunHeavy, actor: str = "server"
) -> list[StoredKey]:
    """Make the keys that are missing and replace those that are too old; return what was made.

    What an older secret of the server sealed is sealed anew with the newest, so that the older one can be taken out.
    Safe to be called by any number of processes at any time: of several at once, one makes the key.
    """
    made: list[StoredKey] = []
    for alg in settings.algorithms:
        newest = _newest(await store.keys(), alg)
        if newest is None or _is_retired(newest, now):
            made += await _add(store, sealer, alg, newest, active_at=now, now=now, run=run, actor=actor)
        elif settings.rotate_after is not None and now - newest.active_at >= settings.rotate_after:
            active_at = now + settings.publish_before
            made += await _add(store, sealer, alg, newest, active_at=active_at, now=now, run=run, actor=actor)
    await _retire_replaced(store, settings, now=now, actor=actor)
    await _reseal(store, sealer, now=now)
    return made


async def rotate_keys(
    store: AdminStore,
    sealer: Sealer,
    settings: KeysSection,
    algs: Iterable[str],
    *,
    at_once: bool,
    now: int,
    run: RunHeavy,
    actor: str,
) -> list[StoredKey]:
    """Replace the keys of some algorithms whatever their age; return what was made.

    With `at_once` the new ones sign from now on; verifiers that keep the published keys for long may not know them yet.
    """
    active_at = now if at_once else now + settings.publish_before
    made: list[StoredKey] = []
    for alg in algs:
        newest = _newest(await store.keys(), alg)
        at = now if newest is None else active_at
        made += await _add(store, sealer, alg, newest, active_at=at, now=now, run=run, actor=actor)
    await _retire_replaced(store, settings, now=now, actor=actor)
    return made


async def withdraw_key(
    store: AdminStore, sealer: Sealer, settings: KeysSection, kid: str, *, now: int, run: RunHeavy, actor: str
) -> list[StoredKey]:
    """Let a key neither sign nor be published from now on; return the one that was made in its place, if one was.

    Where the key was signing, the new one signs at once, known to verifiers or not: a key that somebody else has signs
    whatever he likes.

    Raises:
        NoSuchKey: there is none of this id that is still published.

    """
    keys = await store.keys()
    key = next((key for key in keys if key.kid == kid and not _is_retired(key, now)), None)
    if key is None:
        raise NoSuchKey(f"there is no key {kid} that is published; everbearer key list shows all")
    signs = _signing([each for each in keys if not _is_retired(each, now)], now).get(key.alg) == key
    newest = _newest(keys, key.alg)
    made: list[StoredKey] = []
    if signs or newest == key:
        # First the new one, so that there is no moment without any.
        active_at = now if signs else now + settings.publish_before
        made = await _add(store, sealer, key.alg, newest, active_at=active_at, now=now, run=run, actor=actor)
    details = {"kid": kid, "alg": key.alg, "reason": "withdrawn"}
    await store.retire_key(kid, now, Event(kind=EventKind.KEY_RETIRED, at=now, actor=actor, details=details))
    await _retire_replaced(store, settings, now=now, actor=actor)
    return made


def _newest(keys: Iterable[StoredKey], alg: str) -> StoredKey | None:
    return next((key for key in reversed(list(keys)) if key.alg == alg), None)


async def _add(
    store: AdminStore,
    sealer: Sealer,
    alg: str,
    newest: StoredKey | None,
    *,
    active_at: int,
    now: int,
    run: RunHeavy,
    actor: str,
) -> list[StoredKey]:
    signing = await run(lambda: generate_signing_key(alg))
    sealed = sealer.seal(PURPOSE, signing_key_to_jwk(signing))
    # Later than the one before it, or which of the two is newer would be decided by their ids.
    created_at = max(now, newest.created_at + 1) if newest else now
    key = StoredKey(kid=signing.kid, alg=alg, sealed=sealed, created_at=created_at, active_at=active_at)
    event = Event(kind=EventKind.KEY_CREATED, at=now, actor=actor, details={"kid": key.kid, "alg": alg})
    return [key] if await store.add_key(key, event, newest=newest.kid if newest else None) else []


async def _retire_replaced(store: AdminStore, settings: KeysSection, *, now: int, actor: str) -> None:
    """Say of each key that has a newer one when it stops being published, also where a crash kept us from it.

    A key whose successor was withdrawn signs for longer than it was to, so it stays longer too.
    """
    keys = [key for key in await store.keys() if not _is_retired(key, now)]
    keep_after = max(settings.keep_after, await _longest_token(store))
    for at, key in enumerate(keys):
        newer = next((later for later in keys[at + 1 :] if later.alg == key.alg), None)
        until = newer.active_at + keep_after if newer else 0
        if newer is not None and (key.retired_at is None or key.retired_at < until):
            event = Event(kind=EventKind.KEY_RETIRED, at=now, actor=actor, details={"kid": key.kid, "alg": key.alg})
            await store.retire_key(key.kid, until, event)


async def _reseal(store: AdminStore, sealer: Sealer, *, now: int) -> None:
    for key in await store.keys():
        private = None if _is_retired(key, now) else sealer.unseal(PURPOSE, key.sealed)
        # Sealing is deterministic: what the newest secret sealed comes out the same. Who reads the key tells where it
        # cannot be unsealed.
        sealed = sealer.seal(PURPOSE, private) if private is not None else key.sealed
        if sealed != key.sealed:
            await store.reseal_key(key.kid, old=key.sealed, new=sealed)


async def _longest_token(store: AdminStore) -> int:
    """Return how long the longest token lives that any client may get now."""
    clients = await store.clients()
    return max((max(each.lifetimes.longest_access_token, each.lifetimes.id_token) for each in clients), default=0)
