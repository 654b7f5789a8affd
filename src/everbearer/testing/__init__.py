"""The suite that every store passes, for whoever writes one: needs pytest.

Make a class of your own and give it the fixture `store`, a new and empty store; `ClientStoreTests` wants `put_client`
as well. The tests are coroutines: run them by pytest-asyncio or anyio; or take the blocking classes, whose tests need
no event loop, for a store whose verbs never suspend. Users are `ada` and `bob`, clients `spa` and `web`: where your
tables refer to tables of theirs, put them there first.
"""

import pytest

for _suite in ("spending", "ending", "remembering", "clients", "devices", "races"):
    pytest.register_assert_rewrite(f"everbearer.testing.{_suite}")

from everbearer.testing.blocking import (  # noqa: E402 - what was registered is imported after it
    BlockingClientStoreTests,
    BlockingDeviceStoreTests,
    BlockingGrantStoreTests,
    BlockingStoreTests,
)
from everbearer.testing.suites import ClientStoreTests, DeviceStoreTests, GrantStoreTests, StoreTests  # noqa: E402
from everbearer.testing.values import PutClient  # noqa: E402

__all__ = [
    "BlockingClientStoreTests",
    "BlockingDeviceStoreTests",
    "BlockingGrantStoreTests",
    "BlockingStoreTests",
    "ClientStoreTests",
    "DeviceStoreTests",
    "GrantStoreTests",
    "PutClient",
    "StoreTests",
]
