"""Everbearer in a Starlette application: `uvicorn app:app`."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from urllib.parse import urlencode

import accounts
import api
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.templating import Jinja2Templates

import everbearer as eb
import oauth

templates = Jinja2Templates("templates")


async def authorize(request: Request) -> Response:
    """Answer an authorization request, with a page where the user must be asked."""
    return await answered(request, request.url.query)


async def posted(request: Request) -> Response:
    """Answer a request that comes as a form by the GET it becomes, which has the cookies of this site."""
    async with request.form() as form:
        parameters = [(name, str(value)) for name, value in form.multi_items()]
    return RedirectResponse(f"{oauth.AUTHORIZE}?{urlencode(parameters)}", 303)


async def decide(request: Request) -> Response:
    """Take what the user decided on the consent page."""
    async with request.form() as form:
        return await answered(request, str(form.get("query", "")), allowed=form.get("decision") == "allow")


async def answered(request: Request, query: str, *, allowed: bool | None = None) -> Response:
    """Let Everbearer answer, or show the page that asks."""
    user = accounts.user(request.session.get("user"))
    answer = await oauth.authorize(query, user, request.session, allowed=allowed)
    if isinstance(answer, eb.Response):
        return shown(answer)
    if answer.page == "login":
        return RedirectResponse(oauth.login_page(answer.asked), 303)
    context = {"asked": answer.asked, "user": user, "scopes": oauth.server.scopes}
    return templates.TemplateResponse(request, "consent.html", context, headers=oauth.HEADERS)


def shown(response: eb.Response) -> Response:
    """Return a response of Everbearer's as one of Starlette's."""
    return Response(response.body, response.status, dict(response.headers))


async def ask_for_login(request: Request) -> Response:
    """Show the sign-in page."""
    context = {"next": request.query_params.get("next", "/")}
    return templates.TemplateResponse(request, "login.html", context, headers=oauth.HEADERS)


async def login(request: Request) -> Response:
    """Sign a user in, and go back to where that was wanted."""
    async with request.form() as form:
        name, password, following = (str(form.get(field, "")) for field in ("login", "password", "next"))
    user = await run_in_threadpool(accounts.signed_in, name, password)
    if user is None:
        context = {"next": following, "login": name, "wrong": True}
        return templates.TemplateResponse(request, "login.html", context, 403, oauth.HEADERS)
    request.session.update(oauth.signed_in(user))
    return RedirectResponse(oauth.after_login(following), 303)


async def notes(request: Request) -> Response:
    """Give the notes of the user whose access token it is: the API."""
    user = await api.user_of(request.headers, "notes:read")
    return shown(user) if isinstance(user, eb.Response) else JSONResponse({"notes": accounts.notes(user)})


async def home(request: Request) -> Response:
    """Say what this is."""
    return templates.TemplateResponse(request, "home.html", {"issuer": oauth.ISSUER}, headers=oauth.HEADERS)


@asynccontextmanager
async def lifespan(_: Starlette) -> AsyncGenerator[None]:
    """Make the tables at start."""
    accounts.create()
    await oauth.create()
    yield
    await oauth.store.close()


app = Starlette(
    routes=[
        Route("/", home),
        Route("/login", ask_for_login),
        Route("/login", login, methods=["POST"]),
        Route("/consent", decide, methods=["POST"]),
        Route(oauth.AUTHORIZE, authorize),
        Route(oauth.AUTHORIZE, posted, methods=["POST"]),
        Route("/api/notes", notes),
        Mount("/", eb.asgi_application(eb.endpoint(oauth.server))),  # last: it answers all other paths
    ],
    # A browser sends this cookie with no form of another site (SameSite=Lax).
    middleware=[Middleware(SessionMiddleware, secret_key=oauth.session_key())],
    lifespan=lifespan,
)
