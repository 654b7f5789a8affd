"""Somebody at a browser that runs no scripts: follows redirects, signs in, consents and keeps cookies."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from types import TracebackType
from typing import Self
from urllib.parse import urljoin, urlsplit

import httpx

LOGIN = "ada@example.com"
PASSWORD = "strawberry fields 77"
MOST_STEPS = 15


@dataclass(slots=True)
class Form:
    """A form of a page, as it would be sent: hidden fields as they came."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: dict[str, Form] = {}
        self._open: Form | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open = self.forms.setdefault(attributes.get("id", ""), Form(attributes.get("action", "")))
        elif tag == "input" and self._open is not None and attributes.get("type") == "hidden":
            self._open.fields[attributes["name"]] = attributes.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None


def forms_of(page: str) -> dict[str, Form]:
    """Return the forms of a page by their ids."""
    reader = _Forms()
    reader.feed(page)
    return reader.forms


class Person:
    """A user of the server at `issuer`, in one browser."""

    def __init__(self, issuer: str) -> None:
        self._issuer = issuer
        self.http = httpx.Client(headers={"Accept": "text/html"}, timeout=120)
        self.met: list[str] = []
        """The forms that were filled in on the way, oldest first."""
        self.decision = "allow"
        """What is said to a device."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.http.close()

    def visit(self, url: str, *, stop_at: str = "") -> tuple[str, httpx.Response | None]:
        """Go where a URL leads, and return where that was and what stood there.

        Nothing is asked of an address that begins with `stop_at`: there is the application, which tests play
        themselves.
        """
        response = self._get(url)
        for _ in range(MOST_STEPS):
            step = self._next(response)
            if step is None:
                return str(response.url), response
            method, target, fields = step
            if stop_at and target.startswith(stop_at):
                return target, None
            response = self.http.request(method, target, data=fields) if method == "POST" else self._get(target)
        raise AssertionError(f"{url} leads in circles, by {response.url}")

    def callback(self, url: str, redirect_uri: str) -> str:
        """Go through an authorization request to its end and return the URL that the application would get."""
        where, response = self.visit(url, stop_at=redirect_uri)
        if response is not None:
            raise AssertionError(f"{where} answered {response.status_code}: {response.text}")
        return where

    def _get(self, url: str) -> httpx.Response:
        return self.http.get(url)

    def _next(self, response: httpx.Response) -> tuple[str, str, dict[str, str]] | None:
        here = str(response.url)
        if response.is_redirect:
            return "GET", urljoin(here, response.headers["location"]), {}
        if urlsplit(here).netloc != urlsplit(self._issuer).netloc:
            return None
        forms = forms_of(response.text)
        answers = {
            "sign-in": {"login": LOGIN, "password": PASSWORD, "decision": "sign-in"},
            "consent": {"decision": "allow"},
            "device-consent": {"decision": self.decision},
        }
        for name, answer in answers.items():
            if name in forms and response.is_success:
                self.met.append(name)
                form = forms[name]
                return "POST", urljoin(here, form.action), form.fields | answer
        return None
