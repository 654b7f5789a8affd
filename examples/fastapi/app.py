"""Everbearer in a FastAPI application: `uvicorn app:app`."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Annotated
from urllib.parse import urlencode

import accounts
import api
from fastapi import FastAPI, Form, Query, Request, Response
from fastapi.responses import RedirectResponse
from fastapi.templating import Jinja2Templates
from starlette.middleware.sessions import SessionMiddleware

import everbearer as eb
import oauth


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
    """Make the tables at start."""
    accounts.create()
    await oauth.create()
    await api.create()
    yield
    await oauth.store.close()


app = FastAPI(title="Notes", lifespan=lifespan)
# A browser sends this cookie with no form of another site (SameSite=Lax).
app.add_middleware(SessionMiddleware, secret_key=oauth.session_key())
templates = Jinja2Templates("templates")


@app.get(oauth.AUTHORIZE, include_in_schema=False)
async def authorize(request: Request) -> Response:
    """Answer an authorization request, with a page where the user must be asked."""
    return await answered(request, request.url.query)


@app.post(oauth.AUTHORIZE, include_in_schema=False)
async def posted(request: Request) -> Response:
    """Answer a request that comes as a form by the GET it becomes, which has the cookies of this site."""
    form = [(name, str(value)) for name, value in (await request.form()).multi_items()]
    return RedirectResponse(f"{oauth.AUTHORIZE}?{urlencode(form)}", 303)


@app.post("/consent", include_in_schema=False)
async def decide(request: Request, query: Annotated[str, Form()], decision: Annotated[str, Form()]) -> Response:
    """Take what the user decided on the consent page."""
    return await answered(request, query, allowed=decision == "allow")


async def answered(request: Request, query: str, *, allowed: bool | None = None) -> Response:
    """Let Everbearer answer, or show the page that asks."""
    user = accounts.user(request.session.get("user"))
    answer = await oauth.authorize(query, user, request.session, allowed=allowed)
    if isinstance(answer, eb.Response):
        return Response(answer.body, answer.status, dict(answer.headers))
    if answer.page == "login":
        return RedirectResponse(oauth.login_page(answer.asked), 303)
    context = {"asked": answer.asked, "user": user, "scopes": oauth.server.scopes}
    return templates.TemplateResponse(request, "consent.html", context, headers=oauth.HEADERS)


@app.get("/login", include_in_schema=False)
async def ask_for_login(request: Request, following: Annotated[str, Query(alias="next")] = "/") -> Response:
    """Show the sign-in page."""
    return templates.TemplateResponse(request, "login.html", {"next": following}, headers=oauth.HEADERS)


@app.post("/login", include_in_schema=False)
def log_in(
    request: Request,
    login: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    following: Annotated[str, Form(alias="next")] = "/",
) -> Response:
    """Sign a user in, and go back to where that was wanted."""
    user = accounts.signed_in(login, password)
    if user is None:
        context = {"next": following, "login": login, "wrong": True}
        return templates.TemplateResponse(request, "login.html", context, 403, oauth.HEADERS)
    request.session.update(oauth.signed_in(user))
    return RedirectResponse(oauth.after_login(following), 303)


@app.get("/", include_in_schema=False)
async def home(request: Request) -> Response:
    """Say what this is."""
    return templates.TemplateResponse(request, "home.html", {"issuer": oauth.ISSUER}, headers=oauth.HEADERS)


app.include_router(api.router)
app.mount("/", eb.asgi_application(eb.endpoint(oauth.server)))  # last: it answers all other paths
