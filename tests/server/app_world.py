"""The whole server in process: every path as a browser or client meets it, over a store in memory."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit

from everbearer.oauth.authorization_server import unix_now
from everbearer.oauth.crypto.sealing import Sealer
from everbearer.oauth.messages import Endpoint, Request, Response
from everbearer.oauth.parameters import FORM
from everbearer.server.config import Config, KeysSection, UserSection
from everbearer.server.config.clients import ClientSection
from everbearer.server.config.registration import RegistrationSection
from everbearer.server.declared import apply_declared
from everbearer.server.tables import Parts, build
from everbearer.server.upkeep.pairwise_salt import PairwiseSalt, tend_salt
from everbearer.server.upkeep.signing_keys import SigningKeys, tend_keys
from everbearer.storage.memory import MemoryStore

T = TypeVar("T")

LOGIN = "ada@example.com"
PASSWORD = "correct horse battery"
FULL_ACCESS = "https://authgear.com/scopes/full-access"
REDIRECT = "http://localhost:9200/cb"


async def at_once(work: Callable[[], T]) -> T:
    return work()


class Fields(HTMLParser):
    """The form of a page: where it goes, and what its fields hold."""

    def __init__(self) -> None:
        super().__init__()
        self.action = ""
        self.fields: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.action = values.get("action", "")
        if tag == "input" and values.get("name"):
            self.fields[values["name"]] = values.get("value", "")


@dataclass
class Browser:
    """Keeps cookies and sends forms back."""

    endpoint: Endpoint
    cookies: dict[str, str] = field(default_factory=dict[str, str])

    async def send(
        self, method: str, url: str, form: Mapping[str, str] | bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Response:
        parts = urlsplit(url)
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        response = await self.endpoint(
            Request(
                method=method,
                path=parts.path,
                query=parts.query,
                headers={"content-type": FORM, "cookie": cookie, "user-agent": "tests", **(headers or {})},
                body=form if isinstance(form, bytes) else urlencode(form).encode(),
                remote_address="192.0.2.9",
            )
        )
        for name, value in response.headers:
            if name == "Set-Cookie":
                key, _, rest = value.partition("=")
                self.cookies[key] = rest.partition(";")[0]
        return response

    async def get(self, url: str) -> Response:
        """Open a URL, following redirects within the server."""
        response = await self.send("GET", url)
        while response.status == 303 and (where := location(response)).startswith(("/", "https://id.example")):
            response = await self.send("GET", where)
        return response

    async def submit(self, page: Response, **typed: str) -> Response:
        """Send the page's form, following redirects within the server."""
        reader = Fields()
        reader.feed(page.body.decode())
        response = await self.send("POST", reader.action, {**reader.fields, **typed})
        return await self.get(location(response)) if _stays(response) else response

    async def sign_in(self, url: str = "/settings") -> Response:
        return await self.submit(await self.get(url), login=LOGIN, password=PASSWORD, decision="sign-in")


def location(response: Response) -> str:
    return dict(response.headers).get("Location", "")


def _stays(response: Response) -> bool:
    return response.status == 303 and location(response).startswith(("/", "https://id.example"))


def answer(response: Response) -> dict[str, str]:
    """Return what a redirect carries to the client."""
    return dict(parse_qsl(urlsplit(location(response)).query))


def members(response: Response) -> Any:
    return json.loads(response.body)


async def new_endpoint(
    *,
    issuer: str = "https://id.example",
    development: bool = False,
    registration: RegistrationSection = RegistrationSection(),  # noqa: B008 - frozen
) -> tuple[Endpoint, Parts]:
    """Return a server with a client of each kind and one user."""
    config = Config(
        issuer=issuer,
        registration=registration,
        keys=KeysSection(algorithms=("ES256",)),
        clients=(
            ClientSection(
                client_id="demo-spa",
                type="spa",
                first_party=True,
                redirect_uris=(REDIRECT, f"{issuer}/playground/callback"),
                scope=f"openid offline_access profile email {FULL_ACCESS}",
            ),
            ClientSection(client_id="partner", type="spa", redirect_uris=(REDIRECT,), scope="openid offline_access"),
            ClientSection(
                client_id="orders",
                type="machine",
                client_secret="the-secret-of-orders-0123456789abc",
                grant_types=("client_credentials", "urn:ietf:params:oauth:grant-type:token-exchange"),
            ),
            ClientSection(
                client_id="tv",
                type="native",
                grant_types=("urn:ietf:params:oauth:grant-type:device_code", "refresh_token"),
                scope="openid offline_access",
            ),
        ),
        users=(UserSection(login=LOGIN, password=PASSWORD, claims={"email": LOGIN, "name": "Ada"}),),
    )
    store = MemoryStore()
    sealer = Sealer([b"the secret of the server in tests"])
    keys = SigningKeys(store, sealer, unix_now)
    await tend_keys(store, sealer, config.keys, now=unix_now(), run=at_once)
    await keys.refresh()
    salt = PairwiseSalt(store, sealer)
    await tend_salt(store, sealer)
    await salt.read()
    await apply_declared(config, store, sealer, run=at_once, now=unix_now())
    parts = Parts(config=config, store=store, sealer=sealer, keys=keys, pairwise_salt=salt, run=at_once)
    return build(parts, development=development), parts
