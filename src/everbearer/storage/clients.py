"""What all stores know of clients."""

from __future__ import annotations

from dataclasses import replace

from everbearer.oauth.client import Client

USE_NOTED_EVERY = 3600
"""Seconds in which the use of a client that registered itself is written down once."""


def same_client(stored: Client, read: Client) -> bool:
    """Return whether a client is as it was read, but for what is never written with it."""
    return replace(stored, epoch=read.epoch, used_at=read.used_at) == read


def used_at_first(client: Client) -> int | None:
    """Return since when a new client counts as unused; None for one of an operator, which always may be so."""
    return client.created_at if client.registration is not None else None
