"""Devices that wait for their users to decide (RFC 8628)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from everbearer.oauth.models import CodeBinding, DeviceAuthorization, DeviceDecision
from everbearer.oauth.store import DeviceStore, GrantStore
from everbearer.testing.races import AT_ONCE, AtOnce
from everbearer.testing.values import EVENT, NOW, new_grant

DEVICE = DeviceAuthorization(
    grant_id="device",
    user_code="BCDFGHJK",
    client_id="spa",
    scope=("openid", "offline_access"),
    resources=("https://notes.example/", "https://files.example/"),
    secret=bytes(range(240, 256)),
    created_at=NOW,
    expires_at=NOW + 600,
    interval=5,
    polled_at=NOW + 6,
    address="2001:db8::1",
    agent="Télé 3",
)
ALLOWED = replace(DEVICE, decision=DeviceDecision.ALLOWED, expires_at=NOW + 700)
DENIED = replace(DEVICE, decision=DeviceDecision.DENIED)
GRANT = replace(
    new_grant("device", session_id=""), generation=0, code=CodeBinding(redirect_uri="", expires_at=NOW + 700)
)


class DeviceStoreTests(AtOnce):
    """What every `DeviceStore` does. Needs the fixture `store`, which keeps the grants too."""

    @pytest.fixture
    def devices(self, store: DeviceStore) -> DeviceStore:
        """Return what keeps devices. Yours to replace, where that is not what keeps grants."""
        return store

    async def test_what_a_device_asks_is_found_by_its_grant_and_by_its_user_code(self, devices: DeviceStore) -> None:
        assert await devices.create_device_authorization(DEVICE) is True

        assert await devices.device_authorization(grant_id="device") == DEVICE
        assert await devices.device_authorization(user_code="BCDFGHJK") == DEVICE
        assert await devices.device_authorization(grant_id="BCDFGHJK") is None
        assert await devices.device_authorization(user_code="device") is None

    async def test_a_user_code_that_is_taken_is_refused(self, devices: DeviceStore) -> None:
        await devices.create_device_authorization(DEVICE)
        taken = await devices.create_device_authorization(replace(DEVICE, grant_id="another"))

        assert taken is False
        assert await devices.device_authorization(grant_id="another") is None
        assert await devices.device_authorization(user_code="BCDFGHJK") == DEVICE

    async def test_another_user_code_is_another_device(self, devices: DeviceStore) -> None:
        other = replace(DEVICE, grant_id="another", user_code="LMNPQRST")
        first = await devices.create_device_authorization(DEVICE)
        second = await devices.create_device_authorization(other)

        assert (first, second) == (True, True)
        assert await devices.device_authorization(user_code="LMNPQRST") == other

    async def test_a_poll_is_noted_with_how_long_to_wait(self, devices: DeviceStore) -> None:
        await devices.create_device_authorization(DEVICE)
        noted = replace(DEVICE, polled_at=NOW + 11, interval=10)

        assert await devices.note_device_poll(noted, was=DEVICE) is True
        assert await devices.device_authorization(grant_id="device") == noted

    @pytest.mark.parametrize("was", [{"polled_at": NOW}, {"interval": 10}, {"grant_id": "another"}])
    async def test_a_poll_that_another_was_before_is_not_noted(self, devices: DeviceStore, was: dict[str, Any]) -> None:
        await devices.create_device_authorization(DEVICE)
        other = replace(DEVICE, **was)

        assert await devices.note_device_poll(replace(other, polled_at=NOW + 11), was=other) is False
        assert await devices.device_authorization(grant_id="device") == DEVICE

    async def test_a_poll_after_the_decision_is_not_noted(self, devices: DeviceStore) -> None:
        await devices.create_device_authorization(DEVICE)
        await devices.decide_device_authorization(DENIED, EVENT)

        assert await devices.note_device_poll(replace(DEVICE, polled_at=NOW + 50), was=DEVICE) is False

    @pytest.mark.parametrize("decided", [ALLOWED, DENIED], ids=["allowed", "denied"])
    async def test_a_decision_is_written_once(
        self, devices: DeviceStore, store: GrantStore, decided: DeviceAuthorization
    ) -> None:
        await devices.create_device_authorization(DEVICE)

        assert await devices.decide_device_authorization(decided, EVENT) is True
        assert await devices.decide_device_authorization(ALLOWED, EVENT, grant=GRANT) is False
        assert await devices.decide_device_authorization(DENIED, EVENT) is False
        assert await devices.device_authorization(grant_id="device") == decided
        assert await store.grant("device") is None

    async def test_a_device_that_is_allowed_has_its_grant_at_once(
        self, devices: DeviceStore, store: GrantStore
    ) -> None:
        await devices.create_device_authorization(DEVICE)

        assert await devices.decide_device_authorization(ALLOWED, EVENT, grant=GRANT) is True
        found = await store.grant("device")
        assert found is not None
        assert (found.generation, found.code, found.secret, found.ended) == (0, GRANT.code, GRANT.secret, None)

    async def test_a_device_that_never_asked_is_not_decided_on(self, devices: DeviceStore, store: GrantStore) -> None:
        assert await devices.decide_device_authorization(ALLOWED, EVENT, grant=GRANT) is False
        assert await store.grant("device") is None

    async def test_of_many_who_decide_at_once_one_is_heard(self, devices: DeviceStore, store: GrantStore) -> None:
        await devices.create_device_authorization(DEVICE)
        yes = lambda: devices.decide_device_authorization(ALLOWED, EVENT, grant=GRANT)  # noqa: E731 - the same for all
        no = lambda: devices.decide_device_authorization(DENIED, EVENT)  # noqa: E731
        outcomes = await self.at_once(*[yes, no] * (AT_ONCE // 2))

        found = await devices.device_authorization(grant_id="device")
        assert outcomes.count(True) == 1
        assert found == (ALLOWED if outcomes.index(True) % 2 == 0 else DENIED)
        assert (await store.grant("device") is not None) == (found == ALLOWED)

    async def test_of_many_polls_of_one_moment_one_is_noted(self, devices: DeviceStore) -> None:
        await devices.create_device_authorization(DEVICE)
        noted = replace(DEVICE, polled_at=NOW + 11)
        poll = lambda: devices.note_device_poll(noted, was=DEVICE)  # noqa: E731 - the same for all
        outcomes = await self.at_once(*[poll] * AT_ONCE)

        assert outcomes.count(True) == 1
