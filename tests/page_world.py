"""A browser to test the pages with: it keeps cookies, reads forms and follows redirects within the site."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit

from everbearer.login.accounts import create_user
from everbearer.login.models import User
from everbearer.oauth.messages import Request, Response
from everbearer.server.pages.routes import page_routes
from everbearer.server.pages.site import Site
from world import ACR, FORM, VERIFIER, World, s256

T = TypeVar("T")

LOGIN = "ada@example.com"
PASSWORD = "correct horse battery"
WEB = "https://web.example/cb"


async def at_once(work: Callable[[], T]) -> T:
    return work()


@dataclass
class Form:
    action: str = ""
    fields: dict[str, str] = field(default_factory=dict[str, str])


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.forms: list[tuple[str, Form]] = []
        self.links: list[str] = []
        self.tags: list[tuple[str, dict[str, str]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        self.tags.append((tag, attributes))
        self.ids.add(attributes.get("id", ""))
        if tag == "form":
            self.forms.append((attributes.get("id", ""), Form(action=attributes["action"])))
        if tag == "a":
            self.links.append(attributes["href"])
        if tag == "input" and attributes.get("name"):
            self.forms[-1][1].fields[attributes["name"]] = attributes.get("value", "")


@dataclass(frozen=True)
class Page:
    """What the browser got, with what it reads in it."""

    url: str
    response: Response

    @property
    def status(self) -> int:
        return self.response.status

    @property
    def html(self) -> str:
        return self.response.body.decode()

    @property
    def read(self) -> _Reader:
        reader = _Reader()
        reader.feed(self.html)
        return reader

    @property
    def ids(self) -> set[str]:
        return self.read.ids

    def form(self, form_id: str) -> Form:
        return dict(self.read.forms)[form_id]

    def forms_to(self, action: str) -> list[Form]:
        return [form for _, form in self.read.forms if form.action == action]

    def header(self, name: str) -> str:
        return dict(self.response.headers).get(name, "")

    @property
    def location(self) -> str:
        return self.header("Location")

    @property
    def answer(self) -> dict[str, str]:
        """The parameters that the client gets."""
        assert self.status == 303, self.html
        return dict(parse_qsl(urlsplit(self.location).query))


@dataclass(kw_only=True)
class Browser:
    site: Site
    cookies: dict[str, str] = field(default_factory=dict[str, str])
    keeps_cookies: bool = True
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    address: str = "192.0.2.7"

    async def get(self, url: str, **parameters: str | None) -> Page:
        """Open a URL and follow redirects as long as they stay here."""
        given = urlencode({name: value for name, value in parameters.items() if value is not None})
        return await self._follow(await self.send("GET", f"{url}?{given}" if given else url))

    async def submit(self, form: Form, **typed: str) -> Page:
        """Send a form and follow redirects as long as they stay here."""
        return await self._follow(await self.send("POST", form.action, {**form.fields, **typed}))

    async def send(self, method: str, url: str, form: Mapping[str, str] | bytes = b"") -> Page:
        """Send one request; a form as bytes goes out as it is."""
        parts = urlsplit(url)
        methods = page_routes(self.site)[parts.path]
        request = Request(
            method=method,
            path=parts.path,
            query=parts.query,
            headers={
                "cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
                "user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
                "host": "id.example",
                **({"content-type": FORM} if method == "POST" else {}),
                **self.headers,
            },
            body=form if isinstance(form, bytes) else urlencode(form).encode(),
            remote_address=self.address,
        )
        response = await methods[method](request)
        if self.keeps_cookies:
            self._keep(response)
        return Page(url, response)

    async def sign_in(self, page: Page, login: str = LOGIN, password: str = PASSWORD, **more: str) -> Page:
        """Fill in the form of the sign-in page."""
        return await self.submit(page.form("sign-in"), login=login, password=password, **more)

    def _keep(self, response: Response) -> None:
        for name, value in response.headers:
            if name == "Set-Cookie":
                key, _, rest = value.partition("=")
                self.cookies[key] = rest.partition(";")[0]

    async def _follow(self, page: Page) -> Page:
        for _ in range(10):
            if not page.location.startswith("/"):
                return page
            page = await self.send("GET", page.location)
        raise AssertionError("the pages redirect in a loop")


@dataclass(kw_only=True)
class PageWorld:
    world: World
    site: Site
    ada: User

    def browser(self) -> Browser:
        return Browser(site=self.site)

    async def authorization(self, client: str = "web", **changes: str | None) -> dict[str, str | None]:
        """Return the parameters of an authorization request."""
        known = await self.world.client(client)
        challenge = {"code_challenge": s256(VERIFIER), "code_challenge_method": "S256"}
        pkce = {} if known.require_pkce is False else challenge
        return {
            "response_type": "code",
            "client_id": client,
            "redirect_uri": known.redirect_uris[0],
            "scope": "openid email offline_access",
            "state": "s1",
            **pkce,
            **changes,
        }

    async def authorize(self, browser: Browser, client: str = "web", **changes: str | None) -> Page:
        return await browser.get("/oauth2/authorize", **await self.authorization(client, **changes))

    async def signed_in(self) -> Browser:
        """Return a browser that is signed in as Ada."""
        browser = self.browser()
        await browser.sign_in(await browser.get("/sign-in"))
        return browser

    async def tokens(self, browser: Browser, client: str = "spa", **changes: str | None) -> dict[str, str]:
        """Return the token response after an authorization that needs no page."""
        page = await self.authorize(browser, client, **changes)
        return dict((await self.world.redeem(page.answer["code"], client=client)).json)


async def new_page_world(world: World) -> PageWorld:
    site = Site(server=world.server, store=world.store, run=at_once, acr=ACR)
    ada = await create_user(
        LOGIN, PASSWORD, store=world.store, run=at_once, now=world.clock.now, actor="admin:test", subject="ada"
    )
    return PageWorld(world=world, site=site, ada=ada)
