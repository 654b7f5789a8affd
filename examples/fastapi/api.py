"""The API, which takes access tokens as one in another application would: it knows the issuer by its URL."""

from typing import Annotated

import accounts
from fastapi import APIRouter, Depends

import everbearer as eb
import oauth
from everbearer.resource_server import AccessToken, Introspection, ResourceServer
from everbearer.resource_server.fastapi import Bearer

secret = oauth.kept("api-secret", oauth.new_secret).read_text("ascii")
bearer = Bearer(
    ResourceServer(
        issuer=oauth.ISSUER,
        audience=oauth.ISSUER,  # whom the tokens of clients are for that have no `audience` of their own
        scopes=("notes:read",),
        # It asks about each token, and so sees at once what has ended. Without this it goes by the keys of the issuer.
        introspection=Introspection(client_id="notes-api", client_secret=secret, always=True, lifetime=0),
    )
)


async def create() -> None:
    """Register the API with the issuer, which it may ask about the tokens of all clients."""
    client = eb.Client(
        client_id="notes-api",
        client_name="Notes API",
        secrets=(eb.hash_client_secret(secret, oauth.server),),
        grant_types=("client_credentials",),
        introspects_all=True,
    )
    await oauth.store.put_client(client, eb.Event(kind=eb.EventKind.CLIENT_CREATED, at=oauth.server.now()))


router = APIRouter()
router.include_router(bearer.router())  # the metadata


@router.get("/api/notes")
async def notes(token: Annotated[AccessToken, Depends(bearer.require("notes:read"))]) -> dict[str, list[str]]:
    """Give the notes of the user whose access token it is."""
    return {"notes": accounts.notes(token.subject)}
