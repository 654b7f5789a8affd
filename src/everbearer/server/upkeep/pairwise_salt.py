"""The salt of pairwise subjects: made once and kept sealed, the same whatever becomes of the secret of the server."""

from __future__ import annotations

from everbearer.oauth.crypto.sealing import Sealer
from everbearer.oauth.randomness import random_bytes
from everbearer.server.upkeep.signing_keys import KeysUnreadable
from everbearer.storage.store import AdminStore

PURPOSE = "pairwise salt"
LENGTH = 32


class PairwiseSalt:
    """The salt of a running server. Calling it gives it; empty until `read` has found it."""

    def __init__(self, store: AdminStore, sealer: Sealer) -> None:
        self._store = store
        self._sealer = sealer
        self._salt = b""

    def __call__(self) -> bytes:
        """Return it."""
        return self._salt

    async def read(self) -> None:
        """Read it once.

        Raises:
            KeysUnreadable: it was sealed with a secret that is gone.

        """
        if not self._salt:
            sealed = await self._store.sealed_value(PURPOSE)
            self._salt = _opened(sealed, self._sealer) if sealed else b""


async def tend_salt(store: AdminStore, sealer: Sealer) -> None:
    """Make the salt where there is none, and seal it anew where an older secret of the server sealed it.

    Safe to be called by any number of processes at any time: of several at once, one makes it.
    """
    sealed = await store.sealed_value(PURPOSE)
    salt = sealer.unseal(PURPOSE, sealed) if sealed else random_bytes(LENGTH)
    # Sealing is deterministic: what the newest secret sealed comes out the same. Who reads it tells where it cannot be
    # unsealed.
    if salt is not None and (anew := sealer.seal(PURPOSE, salt)) != sealed:
        await store.keep_sealed_value(PURPOSE, anew, was=sealed)


def _opened(sealed: bytes, sealer: Sealer) -> bytes:
    salt = sealer.unseal(PURPOSE, sealed)
    if salt is None:
        raise KeysUnreadable(
            "the salt of pairwise subjects was sealed with another secret than the server has now: "
            "add the earlier secret after the new one, separated by a comma or on a line of its own"
        )
    return salt
