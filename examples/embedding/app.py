"""An authorization server inside an application of your own: `SECRET=... uvicorn app:app`."""

import hmac
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import everbearer as eb

store = eb.MemoryStore()  # or everbearer.storage.sqlite.SQLiteStore("app.db"), or one of your own
keys = eb.key_set(eb.generate_signing_key("ES256"))  # or eb.load_signing_key("key.pem"): one that stays
server = eb.AuthorizationServer(
    issuer="http://127.0.0.1:8000",
    store=store,
    sealer=eb.Sealer([os.environ["SECRET"].encode()]),  # 32 random bytes or more
    keys=lambda: keys,
    grants=eb.GRANTS,
)


async def sign_in(request: eb.Request, asked: eb.AuthorizationRequest) -> eb.Authentication | eb.Response:
    """Return who is signed in, or the response that asks. Your own sign-in goes here; this is ada with "lovelace"."""
    if hmac.compare_digest(request.headers.get("authorization", "").encode(), b"Basic YWRhOmxvdmVsYWNl"):
        return eb.Authentication(subject="ada", auth_time=server.now(), amr=("pwd",))
    return eb.Response(status=401, headers=(("WWW-Authenticate", f'Basic realm="{asked.client.client_name}"'),))


@asynccontextmanager
async def lifespan() -> AsyncGenerator[None]:
    """Make the store ready."""
    uris, scope = ("http://127.0.0.1/callback",), ("openid", "offline_access")
    client = eb.Client(client_id="app", client_name="My app", redirect_uris=uris, scope=scope)
    await store.put_client(client, eb.Event(kind=eb.EventKind.CLIENT_CREATED, at=server.now()))
    yield


app = eb.asgi_application(eb.endpoint(server, sign_in), lifespan=lifespan)
