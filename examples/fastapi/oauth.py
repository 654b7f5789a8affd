"""The authorization server: Everbearer on a file of its own, with keys and a secret that stay."""

import os
import secrets
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import accounts

import everbearer as eb
from everbearer.storage.sqlite import SQLiteStore

ISSUER = os.environ.get("ISSUER", "http://127.0.0.1:8000")
AUTHORIZE = "/oauth2/authorize"
HEADERS = {"Cache-Control": "no-store", "X-Frame-Options": "DENY"}
"""What every page has: nobody else may keep or frame it."""
FRESH = 300
"""Seconds for which a sign-in is new, until a request has been completed with it."""


def kept(name: str, make: Callable[[], bytes]) -> Path:
    """Return a file of the application's that nobody else can read, made at the first start."""
    accounts.FOLDER.mkdir(mode=0o700, exist_ok=True)
    path = accounts.FOLDER / name
    if not path.exists():
        path.touch(mode=0o600)
        path.write_bytes(make())
    return path


async def claims(subject: str) -> Mapping[str, object] | None:
    """Return what clients may learn of a user, by its scope."""
    user = accounts.user(subject)
    return {"name": user.name, "preferred_username": user.login} if user else None


def new_key() -> bytes:
    """Return a signing key as it is stored."""
    return eb.signing_key_to_jwk(eb.generate_signing_key("ES256"))


def new_secret() -> bytes:
    """Return a secret as it is stored."""
    return secrets.token_urlsafe(48).encode()


def session_key() -> str:
    """Return what the application signs its own cookies with."""
    return kept("session-key", new_secret).read_text("ascii")


store = SQLiteStore(accounts.FOLDER / "oauth.db")
keys = eb.key_set(eb.load_signing_key(kept("signing-key.json", new_key)))
server = eb.AuthorizationServer(
    issuer=ISSUER,
    store=store,
    sealer=eb.Sealer(eb.load_secrets(kept("secret", new_secret))),
    keys=lambda: keys,
    grants=eb.GRANTS,
    claims=claims,
    scopes={**eb.STANDARD_SCOPES, "notes:read": "Read your notes"},
)


async def create() -> None:
    """Make the tables and register a client to try it with."""
    await store.migrate()
    client = eb.Client(
        client_id="app",
        client_name="Notebook",
        redirect_uris=("http://127.0.0.1/callback",),
        scope=("openid", "offline_access", "profile", "notes:read"),
    )
    await store.put_client(client, eb.Event(kind=eb.EventKind.CLIENT_CREATED, at=server.now()))


@dataclass(frozen=True)
class Ask:
    """What the user must be asked, on a page of the application's own, before a request can be completed."""

    page: str
    """`login` or `consent`."""
    asked: eb.AuthorizationRequest


MUST_ASK = {
    "login": eb.LoginRequired("the user must sign in, and prompt=none forbids to ask"),
    "consent": eb.ConsentRequired("the user must consent, and prompt=none forbids to ask"),
}


async def authorize(
    query: str, user: accounts.User | None, session: MutableMapping[str, Any], *, allowed: bool | None = None
) -> eb.Response | Ask:
    """Answer an authorization request of whoever is signed in; `allowed` is what the user said on the consent page."""
    try:
        asked = await eb.resume_authorization_request(query, server)
        if user is None or wants_newer_sign_in(session, asked):
            return ask("login", asked)
        if allowed is None and ("consent" in asked.prompt or not accounts.has_consented(user, asked)):
            return ask("consent", asked)
        if allowed is False:
            return eb.refuse_authorization(asked, eb.AccessDenied("the user denied the request"), server)
        accounts.consent(user, asked)
        session["new"] = False
        who = eb.Authentication(subject=str(user.id), auth_time=session["at"], amr=("pwd",))
        return await eb.complete_authorization(asked, who, server)
    except eb.AuthorizationRefused as refused:
        return refused.response or refused.error.response()
    except eb.StoreUnavailable:
        return eb.TemporarilyUnavailable("try the same again soon", retry_after=2).response()


def ask(page: str, asked: eb.AuthorizationRequest) -> eb.Response | Ask:
    """Return what to ask, or the error for a client that forbids to ask."""
    return eb.refuse_authorization(asked, MUST_ASK[page], server) if "none" in asked.prompt else Ask(page, asked)


def signed_in(user: accounts.User) -> dict[str, Any]:
    """Return what the session keeps of a sign-in."""
    return {"user": user.id, "at": server.now(), "new": True}


def wants_newer_sign_in(session: Mapping[str, Any], asked: eb.AuthorizationRequest) -> bool:
    """Return whether a client wants a newer sign-in than the session's."""
    age = server.now() - session["at"]
    if session["new"] and age <= FRESH:
        return False
    return "login" in asked.prompt or (asked.max_age is not None and age >= asked.max_age)


def login_page(asked: eb.AuthorizationRequest) -> str:
    """Return where to send the browser to sign in; it comes back to the same request."""
    return f"/login?next={quote(f'{AUTHORIZE}?{asked.query}', safe='')}"


def after_login(following: str) -> str:
    """Return where a browser goes that has signed in: nowhere but to an authorization request."""
    return following if following.startswith(f"{AUTHORIZE}?") else "/"
