"""Everbearer in a Flask application: `flask run --port 8000`."""

from urllib.parse import urlencode

import accounts
import api
from flask import Flask, Response, redirect, render_template, request, session
from flask.typing import ResponseReturnValue

import everbearer as eb
import oauth

accounts.create()
eb.finish(oauth.create())
eb.finish(api.create())
endpoint = eb.endpoint(oauth.server)
app = Flask(__name__)
app.register_blueprint(api.blueprint)
# A browser sends this cookie with no form of another site.
app.config.update(SECRET_KEY=oauth.session_key(), SESSION_COOKIE_SAMESITE="Lax")


@app.get(oauth.AUTHORIZE)
def authorize() -> ResponseReturnValue:
    """Answer an authorization request, with a page where the user must be asked."""
    return answered(request.query_string.decode())


@app.post(oauth.AUTHORIZE)
def posted() -> ResponseReturnValue:
    """Answer a request that comes as a form by the GET it becomes, which has the cookies of this site."""
    return redirect(f"{oauth.AUTHORIZE}?{urlencode(list(request.form.items(multi=True)))}", 303)


@app.post("/consent")
def decide() -> ResponseReturnValue:
    """Take what the user decided on the consent page."""
    return answered(request.form.get("query", ""), allowed=request.form.get("decision") == "allow")


def answered(query: str, *, allowed: bool | None = None) -> ResponseReturnValue:
    """Let Everbearer answer, or show the page that asks."""
    user = accounts.user(session.get("user"))
    answer = eb.finish(oauth.authorize(query, user, session, allowed=allowed))
    if isinstance(answer, eb.Response):
        return shown(answer)
    if answer.page == "login":
        return redirect(oauth.login_page(answer.asked), 303)
    page = render_template("consent.html", asked=answer.asked, user=user, scopes=oauth.server.scopes)
    return Response(page, headers=oauth.HEADERS)


def shown(response: eb.Response) -> Response:
    """Return a response of Everbearer's as one of Flask's."""
    return Response(response.body, response.status, list(response.headers))


@app.get("/login")
def ask_for_login() -> Response:
    """Show the sign-in page."""
    return Response(render_template("login.html", next=request.args.get("next", "/")), headers=oauth.HEADERS)


@app.post("/login")
def login() -> ResponseReturnValue:
    """Sign a user in, and go back to where that was wanted."""
    name, following = request.form.get("login", ""), request.form.get("next", "/")
    user = accounts.signed_in(name, request.form.get("password", ""))
    if user is None:
        page = render_template("login.html", next=following, login=name, wrong=True)
        return Response(page, 403, oauth.HEADERS)
    session.update(oauth.signed_in(user))
    return redirect(oauth.after_login(following), 303)


@app.get("/")
def home() -> Response:
    """Say what this is."""
    return Response(render_template("home.html", issuer=oauth.ISSUER), headers=oauth.HEADERS)


def protocol() -> Response:
    """Let Everbearer answer."""
    return shown(eb.finish(endpoint(eb.request_from_environ(request.environ, request.get_data(cache=False)))))


for path in eb.all_routes(oauth.server):
    app.add_url_rule(path, path, protocol, methods=["GET", "POST", "OPTIONS"], provide_automatic_options=False)
