"""Stores that each do one thing wrong, and the suite run against them: `pytest tests/storage/broken_stores.py`.

Nothing here is collected with the other tests, for most of it fails; `test_storage_suite_notices.py` reads what did.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from everbearer.http.wsgi import finish
from everbearer.oauth.client import Client
from everbearer.oauth.events import Event
from everbearer.oauth.models import Ended, Everything, Grant
from everbearer.oauth.store import Spend
from everbearer.storage.memory import MemoryStore
from everbearer.testing import BlockingStoreTests, PutClient
from storage.values import EVENT

# mypy: disable-error-code=override


class Sound(MemoryStore):
    pass


class ClientForgetsItsScope(MemoryStore):
    async def client(self, client_id: str) -> Client | None:
        found = await super().client(client_id)
        return found and replace(found, scope=())


class ClientIsFoundByAnyId(MemoryStore):
    async def client(self, client_id: str) -> Client | None:  # noqa: ARG002
        return await super().client("spa")


class AllowsEveryOrigin(MemoryStore):
    async def allows_origin(self, origin: str) -> bool:  # noqa: ARG002
        return True


class AllowsNoOrigin(MemoryStore):
    async def allows_origin(self, origin: str) -> bool:  # noqa: ARG002
        return False


class CreateKeepsNothing(MemoryStore):
    async def create_grant(self, grant: Grant, event: Event) -> None:
        pass


class CreateForgetsTheCode(MemoryStore):
    async def create_grant(self, grant: Grant, event: Event) -> None:
        await super().create_grant(replace(grant, code=None), event)


class CreateGivesNoEpochs(MemoryStore):
    async def create_grant(self, grant: Grant, event: Event) -> None:
        await super().create_grant(
            replace(
                grant,
                authentication=replace(grant.authentication, user_epoch=grant.authentication.user_epoch or 0),
                client_epoch=grant.client_epoch or 0,
                consent_epoch=grant.consent_epoch or 0,
            ),
            event,
        )


class GrantDoesNotShowTheEndOfAll(MemoryStore):
    async def grant(self, grant_id: str) -> Grant | None:
        return self.tables.grants.get(grant_id)


class GrantShowsNoEnd(MemoryStore):
    async def grant(self, grant_id: str) -> Grant | None:
        found = await super().grant(grant_id)
        return found and replace(found, ended=None)


class SpendWritesNothing(MemoryStore):
    async def spend(self, grant: Grant, *, expected: int) -> Spend:
        found = await self.grant(grant.grant_id)
        if found is None or found.ended:
            return Spend.ENDED
        return Spend.SPENT if found.generation == expected else Spend.SUPERSEDED


class SpendDoesNotCompare(MemoryStore):
    async def spend(self, grant: Grant, *, expected: int) -> Spend:  # noqa: ARG002
        found = await self.grant(grant.grant_id)
        return await super().spend(grant, expected=found.generation if found else 0)


class SpendDoesNotHeedAnEnd(MemoryStore):
    async def spend(self, grant: Grant, *, expected: int) -> Spend:
        found = self.tables.grants[grant.grant_id]
        if found.generation != expected:
            return Spend.SUPERSEDED
        self.tables.grants[grant.grant_id] = replace(grant, ended=found.ended)
        return Spend.SPENT


class SpendDoesNotHeedTheEndOfAll(MemoryStore):
    async def spend(self, grant: Grant, *, expected: int) -> Spend:
        found = self.tables.grants[grant.grant_id]
        if found.ended:
            return Spend.ENDED
        if found.generation != expected:
            return Spend.SUPERSEDED
        self.tables.grants[grant.grant_id] = replace(grant, confirmed=max(found.confirmed, grant.confirmed))
        return Spend.SPENT


class SpendWritesTheWholeRow(MemoryStore):
    """Also what another request has raised meanwhile."""

    async def spend(self, grant: Grant, *, expected: int) -> Spend:
        outcome = await super().spend(grant, expected=expected)
        if outcome is Spend.SPENT:
            self.tables.grants[grant.grant_id] = grant
        return outcome


class SpendCallsAnEndSuperseded(MemoryStore):
    async def spend(self, grant: Grant, *, expected: int) -> Spend:
        outcome = await super().spend(grant, expected=expected)
        return Spend.SUPERSEDED if outcome is Spend.ENDED else outcome


class SpendForgetsTheHistory(MemoryStore):
    async def spend(self, grant: Grant, *, expected: int) -> Spend:
        return await super().spend(replace(grant, history=()), expected=expected)


class ConfirmDoesNothing(MemoryStore):
    async def confirm(self, grant_id: str, generation: int) -> None:
        pass


class ConfirmTakesAnyGeneration(MemoryStore):
    async def confirm(self, grant_id: str, generation: int) -> None:
        found = self.tables.grants.get(grant_id)
        if found is not None:
            self.tables.grants[grant_id] = replace(found, confirmed=generation)


class EndGrantDoesNothing(MemoryStore):
    async def end_grant(self, grant_id: str, ended: Ended) -> bool:  # noqa: ARG002
        return True


class EndGrantOverwritesTheFirstReason(MemoryStore):
    async def end_grant(self, grant_id: str, ended: Ended) -> bool:
        found = self.tables.grants.get(grant_id)
        if found is None:
            return False
        self.tables.grants[grant_id] = replace(found, ended=ended)
        return True


class EndGrantTellsNobodyThatItWasEnded(MemoryStore):
    async def end_grant(self, grant_id: str, ended: Ended) -> bool:
        await super().end_grant(grant_id, ended)
        return True


class EndAllDoesNothing(MemoryStore):
    async def end_all(self, everything: Everything, key: str, ended: Ended) -> None:
        pass


class EndAllEndsAUserAlone(MemoryStore):
    async def end_all(self, everything: Everything, key: str, ended: Ended) -> None:
        if everything is Everything.USER:
            await super().end_all(everything, key, ended)


class EndAllEndsWhatIsThereAndNoOther(MemoryStore):
    """Not what was read, or signed in, before it, and comes to be stored after it."""

    async def end_all(self, everything: Everything, key: str, ended: Ended) -> None:
        before = dict(self.tables.epochs)
        await super().end_all(everything, key, ended)
        for grant_id in list(self.tables.grants):
            found = await self.grant(grant_id)
            assert found is not None
            self.tables.grants[grant_id] = found
        self.tables.epochs.clear()
        self.tables.epochs.update(before)
        self.tables.ends.clear()


class EndAllEndsEverybody(MemoryStore):
    async def end_all(self, everything: Everything, key: str, ended: Ended) -> None:
        await super().end_all(everything, key, ended)
        for grant_id in list(self.tables.grants):
            await self.end_grant(grant_id, ended)


class RememberIsAlwaysFirst(MemoryStore):
    async def remember(self, purpose: str, value: str, *, until: int) -> bool:
        await super().remember(purpose, value, until=until)
        return True


class RememberIsNeverFirst(MemoryStore):
    async def remember(self, purpose: str, value: str, *, until: int) -> bool:
        await super().remember(purpose, value, until=until)
        return False


class RememberForgets(MemoryStore):
    async def remember(self, purpose: str, value: str, *, until: int) -> bool:  # noqa: ARG002
        return True


class RememberKnowsNoPurpose(MemoryStore):
    async def remember(self, purpose: str, value: str, *, until: int) -> bool:  # noqa: ARG002
        return await super().remember("", value, until=until)

    async def remembers(self, purpose: str, value: str) -> bool:  # noqa: ARG002
        return await super().remembers("", value)


class RemembersEverything(MemoryStore):
    async def remembers(self, purpose: str, value: str) -> bool:  # noqa: ARG002
        return True


class RemembersNothing(MemoryStore):
    async def remembers(self, purpose: str, value: str) -> bool:  # noqa: ARG002
        return False


class RecordRaises(MemoryStore):
    async def record(self, event: Event) -> None:
        raise NotImplementedError


BROKEN = {each.__name__: each for each in MemoryStore.__subclasses__() if each.__module__ == __name__}


class TestBroken(BlockingStoreTests):
    @pytest.fixture(params=BROKEN)
    def store(self, request: pytest.FixtureRequest) -> MemoryStore:
        return BROKEN[request.param]()

    @pytest.fixture
    def put_client(self, store: MemoryStore) -> PutClient:
        async def put(client: Client) -> None:
            await store.put_client(client, EVENT)

        return put


def test_the_verbs_of_a_sound_store_do_not_suspend() -> None:
    assert finish(Sound().client("nobody")) is None
