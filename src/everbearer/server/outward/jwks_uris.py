"""What clients publish at their `jwks_uri`, kept for a while, so that their keys are known and nobody is hammered."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from everbearer.oauth.errors import InvalidClient, OAuthError, TemporarilyUnavailable
from everbearer.server.outward.documents import MOST as MOST
from everbearer.server.outward.documents import PAUSE as PAUSE
from everbearer.server.outward.documents import Documents, Known

LIFETIME = 10 * 60
"""Seconds for which a document is good: as long may a key be used that its client has taken back."""


class JwksUris:
    """Fetches what clients publish and keeps it. Calling it gives the document at a URI; see `JwksSource`."""

    def __init__(self, fetch: Callable[[str], Awaitable[str]], now: Callable[[], int]) -> None:
        # A client that registers again, or changes its keys twice, is known by the newest right away.
        self._documents = Documents("jwks_uri", fetch, now, twice=True)
        self._now = now

    async def __call__(self, uri: str, *, anew: bool) -> str:
        """Return the JWK Set document at a URI.

        Raises:
            InvalidClient: what stands there will not do, and the next time it will not either.
            TemporarilyUnavailable: it could not be fetched for a reason that passes.
        """
        known = self._documents.known(uri)
        if not anew and known is not None and known.document and self._now() - known.fetched_at < LIFETIME:
            return known.document
        known = await self._documents.ask(uri)
        if known.problem:
            raise _refusal(known)
        return known.document


def _refusal(known: Known) -> OAuthError:
    # "The 503 (Service Unavailable) status code indicates that the server is currently unable to handle the request
    # due to a temporary overload or scheduled maintenance, which will likely be alleviated after some delay" (RFC 9110
    # §15.6.4): nobody can say now whether the client is who it says. Where waiting does not help, "Client
    # authentication failed" (invalid_client, RFC 6749 §5.2), and its developer must do something.
    if known.passes:
        return TemporarilyUnavailable(
            f"the jwks_uri of this client {known.problem}; try the same again soon",
            reason="jwks_uri",
            retry_after=PAUSE,
        )
    return InvalidClient(f"the jwks_uri of this client {known.problem}", reason="jwks_uri")
