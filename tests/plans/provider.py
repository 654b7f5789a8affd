"""The server that the plans ask, made of a configuration: its parts, with keys made and what is declared applied."""

from __future__ import annotations

from everbearer.oauth.crypto.sealing import Sealer
from everbearer.server.config import Config
from everbearer.server.declared import apply_declared
from everbearer.server.tables import Parts
from everbearer.server.upkeep.pairwise_salt import PairwiseSalt, tend_salt
from everbearer.server.upkeep.signing_keys import SigningKeys, tend_keys
from everbearer.storage.memory import MemoryStore
from server.app_world import at_once
from world import Clock


async def parts_of(config: Config, clock: Clock) -> Parts:
    """Return the parts of a server that has just been set up."""
    store, sealer = MemoryStore(), Sealer([b"the secret of the server in tests"])
    keys, salt = SigningKeys(store, sealer, clock), PairwiseSalt(store, sealer)
    await tend_keys(store, sealer, config.keys, now=clock.now, run=at_once)
    await tend_salt(store, sealer)
    await keys.refresh()
    await salt.read()
    await apply_declared(config, store, sealer, run=at_once, now=clock.now)
    return Parts(config=config, store=store, sealer=sealer, keys=keys, pairwise_salt=salt, run=at_once, now=clock)
