"""The suites: of the verbs that keep grants, of those that read clients, of those that keep devices, and of all."""

from __future__ import annotations

from everbearer.testing.clients import ClientStoreTests as ClientStoreTests
from everbearer.testing.devices import DeviceStoreTests as DeviceStoreTests
from everbearer.testing.ending import EndingTests
from everbearer.testing.races import RaceTests
from everbearer.testing.remembering import RememberingTests
from everbearer.testing.spending import SpendingTests


class GrantStoreTests(SpendingTests, EndingTests, RememberingTests, RaceTests):
    """What every `GrantStore` does. Needs the fixture `store`."""


class StoreTests(GrantStoreTests, ClientStoreTests):
    """What every `Store` does. Needs the fixtures `store` and `put_client`."""
