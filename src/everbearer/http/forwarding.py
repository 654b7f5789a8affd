"""Who sent a request that came through reverse proxies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from ipaddress import ip_address, ip_network


def client_address_behind(trusted: Sequence[str]) -> Callable[[str, str], str]:
    """Return what finds the sender of a request: the last address in `X-Forwarded-For` that is no trusted proxy's.

    `trusted` are addresses and networks. What others write into the header counts for nothing: each proxy adds at its
    end whom it was called by.

    Raises:
        ValueError: one of them is neither.
    """
    networks = [ip_network(each, strict=False) for each in trusted]

    @lru_cache(maxsize=1024)
    def is_trusted(text: str) -> bool:
        try:
            address = ip_address(text)
        except ValueError:
            return False
        mapped = getattr(address, "ipv4_mapped", None)
        return any((mapped or address) in network for network in networks)

    def client_address(peer: str, forwarded: str) -> str:
        if not forwarded or not is_trusted(peer):
            return peer
        sender = peer
        for text in reversed(forwarded.split(",")):
            address = _address(text.strip())
            if address is None:
                break
            sender = address
            if not is_trusted(address):
                break
        return sender

    return client_address


def _address(text: str) -> str | None:
    """Return the address of an entry, which some proxies write with a port; None where it is none."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        return str(ip_address(text))
    except ValueError:
        return None
