"""Everbearer embedded in five frameworks: each example runs as its README says, and a real client uses it."""

from __future__ import annotations

import html
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx
import pytest
from authlib.integrations.requests_client import OAuth2Session, OAuthError  # type: ignore[import-untyped] # it has none

from server_process import free_port, until_it_answers

EXAMPLES = Path(__file__).parents[2] / "examples"
UVICORN = ("-m", "uvicorn", "app:app", "--port", "{port}")
COMMANDS = {
    "django": ("manage.py", "demo", "{port}"),
    "fastapi": UVICORN,
    "flask": ("-m", "flask", "run", "--port", "{port}"),
    "litestar": UVICORN,
    "starlette": UVICORN,
}
REDIRECT_URI = "http://127.0.0.1/callback"
VERIFIER = "a-code-verifier-of-the-frameworks-examples-own-test"
SCOPE = "openid offline_access profile notes:read"
NOTES = {"notes": ["The Engine weaves algebraical patterns."]}


@pytest.fixture(scope="module", params=COMMANDS)
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run an example by its one command, and return its URL."""
    port, folder = free_port(), tmp_path_factory.mktemp(request.param)
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, *(word.format(port=port) for word in COMMANDS[request.param])]
    environ = {**os.environ, "DATA": str(folder / "data"), "ISSUER": url}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=EXAMPLES / request.param, env=environ, stdout=log, stderr=log)  # noqa: S603 - our own example
    try:
        assert until_it_answers(url, process), (folder / "log").read_text()
        yield url
    finally:
        process.terminate()
        process.wait(timeout=60)


@pytest.fixture
def browser(site: str) -> Iterator[httpx.Client]:
    """A browser that has never been there."""
    with httpx.Client(base_url=site, follow_redirects=False, timeout=120) as browser:
        yield browser


@pytest.mark.parametrize("well_known", ["openid-configuration", "oauth-authorization-server"])
def test_every_endpoint_of_the_metadata_is_there(browser: httpx.Client, well_known: str) -> None:
    document = browser.get(f"/.well-known/{well_known}").json()
    named = [url for name, url in document.items() if name.endswith("_endpoint") or name == "jwks_uri"]

    assert [url for url in named if {browser.get(url).status_code, browser.post(url).status_code} == {404}] == []


def test_an_authorization_request_may_come_as_a_form(browser: httpx.Client, site: str) -> None:
    asked = urlsplit(asking(a_client(site), site, resource="https://a.example/\r\nX: ü"))
    answer = browser.post(asked.path, data=parse_qs(asked.query))

    assert answer.status_code == 303
    assert urlsplit(answer.headers["location"]).path == asked.path
    assert parse_qs(urlsplit(answer.headers["location"]).query) == parse_qs(asked.query)


def a_client(site: str, scope: str = SCOPE) -> OAuth2Session:
    return OAuth2Session(
        client_id="app",
        scope=scope,
        redirect_uri=REDIRECT_URI,
        token_endpoint=f"{site}/oauth2/token",
        token_endpoint_auth_method="none",
        code_challenge_method="S256",
    )


def asking(client: OAuth2Session, site: str, **parameters: str) -> str:
    url, _ = client.create_authorization_url(f"{site}/oauth2/authorize", code_verifier=VERIFIER, **parameters)
    return str(url)


def follow(browser: httpx.Client, url: str) -> httpx.Response:
    """Go on until there is a page, or the way leads to the client."""
    answer = browser.get(url)
    while answer.is_redirect and not answer.headers["location"].startswith(REDIRECT_URI):
        answer = browser.get(urljoin(url, answer.headers["location"]))
    return answer


def hidden(page: str) -> dict[str, str]:
    """Return the hidden fields of a page's form."""
    inputs = [html.unescape(tag) for tag in re.findall(r"<input[^>]*>", page) if 'type="hidden"' in tag]
    found = [(re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)) for tag in inputs]
    return {name[1]: value[1] for name, value in found if name and value}


def submit(browser: httpx.Client, page: httpx.Response, **fields: str) -> httpx.Response:
    """Fill in the form of a page and send it."""
    action = re.search(r'<form[^>]* action="([^"]*)"', page.text)
    answer = browser.post(urljoin(str(page.url), action[1] if action else ""), data={**hidden(page.text), **fields})
    if answer.is_redirect and not answer.headers["location"].startswith(REDIRECT_URI):
        return follow(browser, urljoin(str(page.url), answer.headers["location"]))
    return answer


def signed_in(browser: httpx.Client, page: httpx.Response, password: str = "lovelace") -> httpx.Response:
    name = "username" if 'name="username"' in page.text else "login"
    return submit(browser, page, **{name: "ada", "password": password})


def with_tokens(browser: httpx.Client, site: str, scope: str = SCOPE) -> OAuth2Session:
    """Take a client through sign-in and consent."""
    client = a_client(site, scope)
    answer = signed_in(browser, follow(browser, asking(client, site, prompt="consent")))
    answer = submit(browser, answer, decision="allow")
    client.fetch_token(authorization_response=answer.headers["location"], code_verifier=VERIFIER)
    return client


def notes(site: str, token: str) -> httpx.Response:
    return httpx.get(f"{site}/api/notes", headers={"Authorization": f"Bearer {token}"} if token else {}, timeout=120)


def test_a_client_gets_tokens_and_reads_with_them(browser: httpx.Client, site: str) -> None:
    client = with_tokens(browser, site)

    assert {"access_token", "refresh_token", "id_token"} <= set(client.token)
    assert notes(site, client.token["access_token"]).json() == NOTES


def test_a_client_learns_who_the_user_is(browser: httpx.Client, site: str) -> None:
    client = with_tokens(browser, site)

    assert client.get(f"{site}/oauth2/userinfo").json()["name"] == "Ada Lovelace"


def test_a_client_refreshes_and_reads_on(browser: httpx.Client, site: str) -> None:
    client = with_tokens(browser, site)
    first = client.token["refresh_token"]
    client.refresh_token(f"{site}/oauth2/token")

    assert client.token["refresh_token"] != first
    assert notes(site, client.token["access_token"]).json() == NOTES


def test_a_refresh_whose_answer_was_lost_gets_the_same_refresh_token_again(browser: httpx.Client, site: str) -> None:
    client = with_tokens(browser, site)
    spent = client.token["refresh_token"]
    lost = client.refresh_token(f"{site}/oauth2/token", spent)["refresh_token"]

    assert client.refresh_token(f"{site}/oauth2/token", spent)["refresh_token"] == lost


def test_a_revoked_grant_is_over_at_once_for_the_client_and_for_the_api(browser: httpx.Client, site: str) -> None:
    client = with_tokens(browser, site)
    access_token = client.token["access_token"]
    client.revoke_token(f"{site}/oauth2/revoke", client.token["refresh_token"])

    assert notes(site, access_token).status_code == 401
    with pytest.raises(OAuthError, match="invalid_grant: the client revoked this grant"):
        client.refresh_token(f"{site}/oauth2/token")


@pytest.mark.parametrize("token", ["", "garbage"])
def test_the_api_challenges_who_has_no_token(site: str, token: str) -> None:
    refused = notes(site, token)

    assert refused.status_code == 401
    assert refused.headers["www-authenticate"].startswith('Bearer realm="')


def test_the_api_refuses_a_token_that_reaches_less(browser: httpx.Client, site: str) -> None:
    refused = notes(site, with_tokens(browser, site, "openid").token["access_token"])

    assert refused.status_code == 403
    assert "insufficient_scope" in refused.headers["www-authenticate"]


def test_a_wrong_password_is_told_on_the_page(browser: httpx.Client, site: str) -> None:
    page = signed_in(browser, follow(browser, asking(a_client(site), site, prompt="consent")), password="wrong")

    assert "is wrong" in page.text
    assert "Allow" in signed_in(browser, page).text


def test_the_user_may_deny(browser: httpx.Client, site: str) -> None:
    page = signed_in(browser, follow(browser, asking(a_client(site), site, prompt="consent")))
    denied = submit(browser, page, decision="deny")

    assert parse_qs(urlsplit(denied.headers["location"]).query)["error"] == ["access_denied"]


def test_who_has_consented_is_asked_once(browser: httpx.Client, site: str) -> None:
    client = with_tokens(browser, site)

    assert "code=" in follow(browser, asking(client, site)).headers["location"]


def test_nobody_is_asked_to_sign_in_where_the_client_forbids_it(browser: httpx.Client, site: str) -> None:
    answer = follow(browser, asking(a_client(site), site, prompt="none"))

    assert parse_qs(urlsplit(answer.headers["location"]).query)["error"] == ["login_required"]


def test_nobody_is_asked_to_consent_where_the_client_forbids_it(browser: httpx.Client, site: str) -> None:
    with_tokens(browser, site, "openid")
    answer = follow(browser, asking(a_client(site, "openid profile notes:read"), site, prompt="none"))

    assert parse_qs(urlsplit(answer.headers["location"]).query)["error"] == ["consent_required"]


@pytest.mark.parametrize("wish", [{"max_age": "0"}, {"prompt": "login"}])
def test_a_client_may_want_the_sign_in_to_be_new(browser: httpx.Client, site: str, wish: dict[str, str]) -> None:
    with_tokens(browser, site)
    page = follow(browser, asking(a_client(site), site, **wish))
    answer = signed_in(browser, page)

    assert 'type="password"' in page.text
    assert "code=" in answer.headers["location"]


def test_a_sign_in_leads_nowhere_but_into_the_application(browser: httpx.Client) -> None:
    page = browser.get("/login?next=https://evil.example/")
    name = "username" if 'name="username"' in page.text else "login"
    answer = browser.post("/login", data={**hidden(page.text), name: "ada", "password": "lovelace"})

    assert answer.headers["location"] == "/"


@pytest.mark.parametrize("query", ["", "client_id=nobody", "client_id=app&client_id=app", "client_id=%ff"])
def test_an_authorization_request_that_cannot_be_answered_is_told_so(browser: httpx.Client, query: str) -> None:
    refused = browser.get(f"/oauth2/authorize?{query}")

    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_request")


def test_the_metadata_is_at_the_root(browser: httpx.Client, site: str) -> None:
    document: Any = browser.get("/.well-known/oauth-authorization-server").json()

    assert document["issuer"] == site
    assert browser.get(urlsplit(document["jwks_uri"]).path).json()["keys"]


def test_a_script_of_a_clients_origin_may_refresh_and_none_may_authorize(browser: httpx.Client) -> None:
    origin = {"Origin": "http://127.0.0.1", "Access-Control-Request-Method": "POST"}
    preflight = browser.options("/oauth2/token", headers=origin)

    assert preflight.headers["access-control-allow-origin"] == "http://127.0.0.1"
    assert "access-control-allow-origin" not in browser.get("/oauth2/authorize?x", headers=origin).headers


@pytest.mark.parametrize("path", ["/login", "/"])
def test_no_other_site_may_frame_a_page(browser: httpx.Client, path: str) -> None:
    assert browser.get(path).headers["x-frame-options"] == "DENY"


@pytest.mark.parametrize("name", COMMANDS)
def test_the_readme_of_an_example_has_its_command(name: str) -> None:
    readme = (EXAMPLES / name / "README.md").read_text("utf-8")
    command = " ".join(word for word in COMMANDS[name] if word not in ("-m", "--port", "{port}"))

    assert command in readme


@pytest.mark.parametrize(
    "shared", ["accounts.py", "templates/base.html", "templates/consent.html", "templates/login.html"]
)
def test_what_the_examples_have_in_common_is_the_same_in_all(shared: str) -> None:
    texts = {(EXAMPLES / name / shared).read_text("utf-8") for name in COMMANDS if name != "django"}

    assert len(texts) == 1


def test_a_store_on_djangos_tables_passes_the_suite(tmp_path: Path) -> None:
    environ = {**os.environ, "DATA": str(tmp_path)}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", "-p", "no:cacheprovider", "test_store.py"]
    done = subprocess.run(command, cwd=EXAMPLES / "django", env=environ, capture_output=True, text=True, check=False)  # noqa: S603

    assert re.search(r"\d+ passed", done.stdout), done.stdout[-2000:]
    assert done.returncode == 0


@pytest.mark.parametrize("file", ["accounts.py", "oauth.py", "templates/base.html", "templates/login.html"])
def test_what_is_the_same_in_each_application_is_the_same_text(file: str) -> None:
    # Each stands on its own, to be copied: what is mended in one is mended in all.
    texts = {(EXAMPLES / name / file).read_text() for name in ("fastapi", "flask", "litestar", "starlette")}

    # Flask's handlers block.
    assert len({text.replace("BlockingSQLiteStore", "SQLiteStore") for text in texts}) == 1


@pytest.mark.parametrize("names", [("litestar", "starlette")])
def test_an_api_that_reads_tokens_itself_is_the_same_text(names: tuple[str, ...]) -> None:
    assert len({(EXAMPLES / name / "api.py").read_text() for name in names}) == 1


@pytest.mark.parametrize("name", ["fastapi", "flask"])
def test_an_api_that_asks_the_issuer_is_set_up_by_the_same_text(name: str) -> None:
    text, other = ((EXAMPLES / each / "api.py").read_text() for each in (name, "fastapi"))
    set_up = text[text.index("secret = ") : text.index("    await oauth.store.put_client")]

    assert "ResourceServer(" in set_up
    assert set_up in other


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_the_keys_and_secrets_that_an_application_makes_are_never_committed(name: str) -> None:
    assert "data/" in (EXAMPLES / name / ".gitignore").read_text().splitlines()
