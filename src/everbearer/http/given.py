"""Whether what these functions are given is of its type, with what to write where it is not."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from everbearer.oauth.arguments import check_arguments

ADVICE: Mapping[str, str] = {
    "endpoint": "write endpoint(server)",
    "server": "make an AuthorizationServer(...)",
    "sign_in": "write an async function of a request and what was asked, which returns an Authentication or a Response",
    "lifespan": "write one with @contextlib.asynccontextmanager, without arguments",
    "routes": "write all_routes(server)",
    "with_everybody": "write public_routes(server)",
    "with_clients": "write client_routes(server)",
    "allows_origin": "write allows_origin=store.allows_origin",
}
"""What to write where an argument is of another type than its own."""


def check(function: Callable[..., object], **given: object) -> None:
    """Return if arguments of a function are of their types.

    Raises:
        ValueError: they are not.
    """
    check_arguments(function, ADVICE, **given)


def check_most(max_body: int) -> None:
    """Return if a limit lets bodies in.

    Raises:
        ValueError: it does not.
    """
    if max_body < 1:
        raise ValueError("max_body is a number of bytes, and must be at least 1")
