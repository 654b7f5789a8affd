"""Subjects: how a client knows a user, by the one `sub` for all or by one for its sector (OpenID Connect Core §8)."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from hashlib import sha256

from everbearer.oauth.authorization_server import AuthorizationServer
from everbearer.oauth.client import Client, SubjectType
from everbearer.oauth.encoding import base64url
from everbearer.oauth.errors import UnauthorizedClient
from everbearer.oauth.redirect_uris import web_host


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedSubject:
    """A user as a client knows them."""

    subject: str
    client: Client

    def is_user(self, subject: str, server: AuthorizationServer) -> bool:
        """Return whether it is the user of this subject."""
        return subject_for(self.client, subject, server) == self.subject


def subject_for(client: Client, subject: str, server: AuthorizationServer) -> str:
    """Return the `sub` by which a client knows a user.

    A pairwise one is a keyed hash: "The Subject Identifier value MUST NOT be reversible by any party other than the
    OpenID Provider", and "Distinct Sector Identifier values MUST result in distinct Subject Identifier values" (§8.1).
    """
    if client.subject_type is SubjectType.PUBLIC:
        return subject
    # No sector holds a line break.
    text = f"{sector_of(client)}\n{subject}"
    return base64url(hmac.digest(server.pairwise_salt(), text.encode(), sha256))


def require_subjects(client: Client, server: AuthorizationServer) -> None:
    """Refuse a client that is to know users by a `sub` that this server cannot make.

    Raises:
        UnauthorizedClient: its subjects are pairwise, and the server has no salt.
    """
    if client.subject_type is SubjectType.PAIRWISE and not server.pairwise_salt():
        raise UnauthorizedClient("this client has pairwise subjects, and the server has none to give")


def sector_of(client: Client) -> str:
    """Return what a client has its subjects in common with others by: a host, or nothing but itself."""
    if client.sector_identifier:
        return client.sector_identifier.lower()
    # "the Sector Identifier used for pairwise identifier calculation is the host component of the registered
    # redirect_uri. If there are multiple hostnames in the registered redirect_uris, the Client MUST register a
    # sector_identifier_uri" (§8.1).
    hosts = {web_host(uri) for uri in client.redirect_uris}
    host = hosts.pop() if len(hosts) == 1 else ""
    return host or f"client {client.client_id}"
