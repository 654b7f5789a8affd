"""A real server with metrics and a log in JSON, and people and programs that do well and badly there."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx

from clients import person as people
from clients.person import Person
from clients.settings import REDIRECT_URI, SECRET, settings
from server_process import free_port, running_server

HEAD = """
workers = 2
[metrics]
enabled = true
port = {port}
[logs]
format = "json"
level = "debug"
"""
WRONG_SECRET = "the-wrong-secret-that-somebody-sends"
WRONG_PASSWORD = "the wrong password that somebody types"
STATE = "state-of-the-client"
INVENTED = "erb_inventedByWhoWantsIn"
ENOUGH = 120


@dataclass
class Run:
    """What a run has left behind."""

    log: str = ""
    metrics: str = ""
    issued: set[str] = field(default_factory=set[str], repr=False)
    """Every token, code, cookie, secret and password that went over the wire."""
    request_ids: list[str] = field(default_factory=list[str])

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Return the log's lines, without what the command prints before it."""
        return [json.loads(line) for line in self.log.splitlines() if line.startswith("{")]


def observed_run(folder: Path) -> Run:
    """Run a server, use it, stop it, and return what it told."""
    port = free_port()
    run = Run(issued={SECRET, WRONG_SECRET, people.PASSWORD, WRONG_PASSWORD, INVENTED})
    with running_server(
        folder, HEAD.format(port=port) + settings(page="http://localhost:49153", express="http://localhost:49154")
    ) as server:
        run.issued.add(server.environ["EVERBEARER_SECRET"])
        with Person(server.issuer) as person:
            _use(server.issuer, person, run)
            run.issued.update(value for value in person.http.cookies.values() if value)
        _misuse(server.issuer, run)
        # A process that is too busy to tell what it counted is left out for now.
        while "everbearer_workers 2\n" not in run.metrics:
            run.metrics = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=ENOUGH).raise_for_status().text
    run.log = server.log.read_text("utf-8")
    return run


def code_of(issuer: str, person: Person) -> dict[str, str]:
    """Sign a person in at the public client, and return the form that redeems the code."""
    verifier = secrets.token_urlsafe(48)
    query = {
        "response_type": "code",
        "client_id": "public",
        "redirect_uri": REDIRECT_URI,
        "scope": "openid offline_access",
        "state": STATE,
        "code_challenge": base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("="),
        "code_challenge_method": "S256",
    }
    callback = person.callback(f"{issuer}/oauth2/authorize?{urlencode(query)}", REDIRECT_URI)
    code = parse_qs(urlsplit(callback).query)["code"][0]
    return {
        "grant_type": "authorization_code",
        "client_id": "public",
        "code": code,
        "code_verifier": verifier,
        "redirect_uri": REDIRECT_URI,
    }


def _use(issuer: str, person: Person, run: Run) -> None:
    """Sign in, refresh, retry, replay; look at oneself and at the tokens."""
    form = code_of(issuer, person)
    run.issued.update({form["code"], form["code_verifier"], STATE})
    first = _token(issuer, run, form)["refresh_token"]
    second = _token(issuer, run, {"grant_type": "refresh_token", "refresh_token": first})["refresh_token"]
    _token(issuer, run, {"grant_type": "refresh_token", "refresh_token": first})
    last = _token(issuer, run, {"grant_type": "refresh_token", "refresh_token": second})
    bearer = {"Authorization": f"Bearer {last['access_token']}"}
    httpx.get(f"{issuer}/oauth2/userinfo", headers=bearer, timeout=ENOUGH).raise_for_status()
    form = {"token": last["refresh_token"]}
    httpx.post(f"{issuer}/oauth2/introspect", data=form, auth=("machine", SECRET), timeout=ENOUGH).raise_for_status()
    # A thief's turn: the grant ends.
    _token(issuer, run, {"grant_type": "refresh_token", "refresh_token": first})
    _token(issuer, run, {"grant_type": "refresh_token", "refresh_token": INVENTED})


def _token(issuer: str, run: Run, form: dict[str, str]) -> Any:
    answer = httpx.post(f"{issuer}/oauth2/token", data={"client_id": "public", **form}, timeout=ENOUGH)
    run.request_ids.append(answer.headers["x-request-id"])
    members = answer.json()
    run.issued.update(str(members[name]) for name in ("access_token", "refresh_token", "id_token") if name in members)
    return members


def _misuse(issuer: str, run: Run) -> None:
    for name in ("machine", "nobody"):
        form = {"grant_type": "client_credentials"}
        httpx.post(f"{issuer}/oauth2/token", data=form, auth=(name, WRONG_SECRET), timeout=ENOUGH)
    httpx.get(f"{issuer}/{INVENTED}?token={INVENTED}", timeout=ENOUGH)
    httpx.post(f"{issuer}/oauth2/token", content=b"x" * 70_000, timeout=ENOUGH)
    with Person(issuer) as guesser:
        page = guesser.http.get(f"{issuer}/sign-in")
        fields = {"login": people.LOGIN, "password": WRONG_PASSWORD, "decision": "sign-in"}
        hidden = people.forms_of(page.text)["sign-in"].fields
        guesser.http.post(f"{issuer}/sign-in", data=hidden | fields)
        run.issued.update(value for value in guesser.http.cookies.values() if value)
