"""Request objects that clients publish, kept for a moment; those whose URI holds their hash, while there is room."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from everbearer.oauth.authorization.request_uris import is_hash_of
from everbearer.oauth.errors import InvalidRequestUri, TemporarilyUnavailable
from everbearer.server.outward.documents import PAUSE, Documents

ACCEPT = "application/oauth-authz-req+jwt, application/jwt"


class RequestUris:
    """Fetches request objects and keeps them. Calling it gives the document at a URI; see `RequestObjectSource`."""

    def __init__(self, fetch: Callable[[str], Awaitable[str]], now: Callable[[], int]) -> None:
        self._documents = Documents("request_uri", fetch, now)

    async def __call__(self, uri: str) -> str:
        """Return the request object at a URI.

        Raises:
            InvalidRequestUri: what stands there will not do, and the next time it will not either.
            TemporarilyUnavailable: it could not be fetched for a reason that passes.
        """
        known = self._documents.known(uri)
        # "If the fragment value used for a URI changes, that signals the server that its cached value for that URI with
        # the old fragment value is no longer valid" (OpenID Connect Dynamic Client Registration §2).
        if known is None or not is_hash_of(uri.partition("#")[2], known.document):
            known = await self._documents.ask(uri)
        if not known.problem:
            return known.document
        if known.passes:
            raise TemporarilyUnavailable(
                f"the request_uri {known.problem}; try the same again soon", reason="request_uri", retry_after=PAUSE
            )
        raise InvalidRequestUri(f"the request_uri {known.problem}", reason="request_uri")
