"""The suites for stores that block: their tests finish in one step, and race in threads."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from functools import wraps
from threading import Barrier
from typing import Any, ParamSpec, TypeVar

from everbearer.http.wsgi import finish
from everbearer.testing.races import AtOnce
from everbearer.testing.suites import ClientStoreTests, DeviceStoreTests, GrantStoreTests

P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S", bound=type)


def _finished(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    @wraps(test)
    def finished(*args: P.args, **kwargs: P.kwargs) -> None:
        finish(test(*args, **kwargs))

    return finished


def _without_event_loop(suite: S) -> S:
    for name, test in inspect.getmembers(suite, inspect.iscoroutinefunction):
        if name.startswith("test_"):
            setattr(suite, name, _finished(test))
    return suite


class _InThreads(AtOnce):
    async def at_once(self, *calls: Callable[[], Awaitable[R]]) -> list[R]:
        """Make the calls in a thread each, as near to one moment as can be, and return their results in order."""
        ready = Barrier(len(calls))

        def run(call: Callable[[], Awaitable[R]]) -> R:
            ready.wait()
            return finish(call())

        with ThreadPoolExecutor(len(calls)) as threads:
            return list(threads.map(run, calls))


@_without_event_loop
class BlockingGrantStoreTests(_InThreads, GrantStoreTests):
    """What every `GrantStore` does, of one that never suspends. Needs the fixture `store`."""


@_without_event_loop
class BlockingClientStoreTests(ClientStoreTests):
    """What every `ClientStore` does, of one that never suspends. Needs the fixtures `store` and `put_client`."""


@_without_event_loop
class BlockingDeviceStoreTests(_InThreads, DeviceStoreTests):
    """What every `DeviceStore` does, of one that never suspends. Needs the fixture `store`, which keeps grants too."""


class BlockingStoreTests(BlockingGrantStoreTests, BlockingClientStoreTests):
    """What every `Store` does, of one that never suspends. Needs the fixtures `store` and `put_client`."""
