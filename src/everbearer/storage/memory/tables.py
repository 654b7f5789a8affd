"""What the store in memory holds."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from everbearer.login.models import Consent, Session, SessionLifetimes, User
from everbearer.login.store import Counted
from everbearer.oauth.client import Client, Lifetimes
from everbearer.oauth.events import Event
from everbearer.oauth.initial_access_tokens import InitialAccessToken
from everbearer.oauth.models import DeviceAuthorization, Ended, Everything, Grant
from everbearer.oauth.sessions.backchannel_logout import Logout
from everbearer.storage.store import StoredKey


@dataclass(frozen=True, slots=True, kw_only=True)
class NotedClient:
    """A client that a session has signed in to."""

    subject: str
    noted_at: int


@dataclass(slots=True, kw_only=True)
class Tables:
    """Everything in dictionaries."""

    session_lifetimes: SessionLifetimes
    client_lifetimes: Lifetimes
    """The longest of clients that are kept elsewhere."""
    clients: dict[str, Client] = field(default_factory=dict[str, Client])
    used_at: dict[str, int] = field(default_factory=dict[str, int])
    """Of each client that registered itself: when it was last known to be in use."""
    initial_access_tokens: dict[str, InitialAccessToken] = field(default_factory=dict[str, InitialAccessToken])
    grants: dict[str, Grant] = field(default_factory=dict[str, Grant])
    devices: dict[str, DeviceAuthorization] = field(default_factory=dict[str, DeviceAuthorization])
    """By the id of the grant that each may become."""
    ends: dict[tuple[Everything, str, int], Ended] = field(default_factory=dict[tuple[Everything, str, int], Ended])
    """By the epoch that each began."""
    epochs: Counter[tuple[Everything, str]] = field(default_factory=Counter[tuple[Everything, str]])
    users: dict[str, User] = field(default_factory=dict[str, User])
    sessions: dict[str, Session] = field(default_factory=dict[str, Session])
    session_clients: dict[tuple[str, str], NotedClient] = field(default_factory=dict[tuple[str, str], NotedClient])
    """By session and client."""
    logouts: dict[tuple[str, str], Logout] = field(default_factory=dict[tuple[str, str], Logout])
    """By session and client."""
    consents: dict[tuple[str, str], Consent] = field(default_factory=dict[tuple[str, str], Consent])
    attempts: dict[str, Counted] = field(default_factory=dict[str, Counted])
    remembered: dict[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])
    events: list[Event] = field(default_factory=list[Event])
    keys: dict[str, StoredKey] = field(default_factory=dict[str, StoredKey])
    predecessors: dict[str, str | None] = field(default_factory=dict[str, str | None])
    """Of each signing key: the one it followed."""
    sealed_values: dict[str, bytes] = field(default_factory=dict[str, bytes])
