"""Everbearer in a Litestar application: `uvicorn app:app`."""

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

import accounts
import api
from litestar import Litestar, Request, Response, asgi, get, post
from litestar.concurrency import sync_to_thread
from litestar.contrib.jinja import JinjaTemplateEngine
from litestar.enums import RequestEncodingType
from litestar.middleware.session.client_side import CookieBackendConfig
from litestar.params import Body
from litestar.response import Redirect, Template
from litestar.template.config import TemplateConfig
from litestar.types import Receive, Scope, Send

import everbearer as eb
import oauth

Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]
everbearer = eb.asgi_application(eb.endpoint(oauth.server))


@get(oauth.AUTHORIZE, include_in_schema=False)
async def authorize(request: Request[Any, Any, Any]) -> Response[Any]:
    """Answer an authorization request, with a page where the user must be asked."""
    return await answered(request, request.url.query)


@post(oauth.AUTHORIZE, include_in_schema=False)
async def posted(request: Request[Any, Any, Any]) -> Redirect:
    """Answer a request that comes as a form by the GET it becomes, which has the cookies of this site."""
    form = [(name, str(value)) for name, value in (await request.form()).multi_items()]
    return Redirect(f"{oauth.AUTHORIZE}?{urlencode(form)}", status_code=303)


@post("/consent", include_in_schema=False)
async def decide(request: Request[Any, Any, Any], data: Form) -> Response[Any]:
    """Take what the user decided on the consent page."""
    return await answered(request, data.get("query", ""), allowed=data.get("decision") == "allow")


async def answered(request: Request[Any, Any, Any], query: str, *, allowed: bool | None = None) -> Response[Any]:
    """Let Everbearer answer, or show the page that asks."""
    user = accounts.user(request.session.get("user"))
    answer = await oauth.authorize(query, user, request.session, allowed=allowed)
    if isinstance(answer, eb.Response):
        return shown(answer)
    if answer.page == "login":
        return Redirect(oauth.login_page(answer.asked), status_code=303)
    context = {"asked": answer.asked, "user": user, "scopes": oauth.server.scopes}
    return Template("consent.html", context=context, headers=oauth.HEADERS, status_code=200)


def shown(response: eb.Response) -> Response[bytes]:
    """Return a response of Everbearer's as one of Litestar's."""
    return Response(response.body, status_code=response.status, headers=dict(response.headers))


@get("/login", include_in_schema=False)
async def ask_for_login(request: Request[Any, Any, Any]) -> Template:
    """Show the sign-in page."""
    return Template("login.html", context={"next": request.query_params.get("next", "/")}, headers=oauth.HEADERS)


@post("/login", include_in_schema=False)
async def login(request: Request[Any, Any, Any], data: Form) -> Response[Any]:
    """Sign a user in, and go back to where that was wanted."""
    name, password, following = (data.get(field, "") for field in ("login", "password", "next"))
    user = await sync_to_thread(accounts.signed_in, name, password)
    if user is None:
        context = {"next": following, "login": name, "wrong": True}
        return Template("login.html", context=context, status_code=403, headers=oauth.HEADERS)
    request.set_session(oauth.signed_in(user))
    return Redirect(oauth.after_login(following), status_code=303)


@get("/api/notes")
async def notes(request: Request[Any, Any, Any]) -> Response[Any]:
    """Give the notes of the user whose access token it is: the API."""
    user = await api.user_of(dict(request.headers), "notes:read")
    return shown(user) if isinstance(user, eb.Response) else Response({"notes": accounts.notes(user)})


@get("/", include_in_schema=False)
async def home() -> Template:
    """Say what this is."""
    return Template("home.html", context={"issuer": oauth.ISSUER}, headers=oauth.HEADERS)


@asgi(list(eb.all_routes(oauth.server)), copy_scope=True)
async def protocol(scope: Scope, receive: Receive, send: Send) -> None:
    """Let Everbearer answer at its paths."""
    await everbearer(scope, receive, send)


async def start() -> None:
    """Make the tables."""
    accounts.create()
    await oauth.create()


# A browser sends this cookie with no form of another site (SameSite=Lax).
sessions = CookieBackendConfig(secret=oauth.session_key().encode()[:32], samesite="lax")
app = Litestar(
    [authorize, posted, decide, ask_for_login, login, notes, home, protocol],
    middleware=[sessions.middleware],
    on_startup=[start],
    on_shutdown=[oauth.store.close],
    template_config=TemplateConfig(directory=Path("templates"), engine=JinjaTemplateEngine),
)
