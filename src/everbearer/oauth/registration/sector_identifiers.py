"""Sector identifiers that clients register: a document that names all redirect URIs of the sector (OIDC Core §8.1)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import cast
from urllib.parse import urlsplit

from everbearer.oauth.client import SubjectType
from everbearer.oauth.client_registration import ClientRegistration
from everbearer.oauth.clients.metadata import ClientMetadata
from everbearer.oauth.errors import InvalidClientMetadata


async def sector_identifier(metadata: ClientMetadata, registration: ClientRegistration) -> str:
    """Return the host that the pairwise subjects of a client are made for; empty where it registers none.

    Raises:
        InvalidClientMetadata: the document is not there, or does not name all of the client's redirect URIs.
        TemporarilyUnavailable: it could not be fetched for a reason that passes.
    """
    uri = metadata.text("sector_identifier_uri")
    if not uri:
        return ""
    document = await registration.fetch(uri)
    # "The values registered in redirect_uris MUST be included in the elements of the array, or registration MUST fail.
    # This MUST be validated at registration time" (OpenID Connect Registration §5).
    named = _named(document)
    missing = [each for each in metadata.texts("redirect_uris") if each not in named]
    if missing:
        raise InvalidClientMetadata(f"sector_identifier_uri leads to a document that does not name {missing[0][:200]}")
    # "the Sector Identifier used for pairwise identifier calculation [is] the host component of this URL" (Core §8.1).
    pairwise = metadata.values["subject_type"] is SubjectType.PAIRWISE
    return (urlsplit(uri).hostname or "") if pairwise else ""


def _named(document: str) -> Iterable[object]:
    try:
        named: object = json.loads(document)
    except (ValueError, RecursionError):
        named = None
    if not isinstance(named, list):
        raise InvalidClientMetadata("sector_identifier_uri must lead to a JSON array of redirect URIs")
    return cast("list[object]", named)
