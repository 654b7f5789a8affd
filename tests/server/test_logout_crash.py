"""A logout token outlives the process that was to deliver it."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from urllib.parse import urlencode, urljoin

from clients.person import LOGIN, PASSWORD, Person, forms_of
from own_certificate import new_certificate
from plans.relying_site import RelyingSite, relying_site
from server_process import running_server
from world import SECRET, claims_of

PATH = "/backchannel_logout"
SETTINGS = """
fetch_from_private_addresses = true
[[users]]
login = "{login}"
password = "{password}"
[[clients]]
client_id = "app"
type = "spa"
first_party = true
redirect_uris = ["{origin}/callback"]
backchannel_logout_uri = "{origin}/backchannel_logout"
"""


def sign_in_and_out(issuer: str, site: RelyingSite) -> None:
    request = {
        "client_id": "app",
        "response_type": "none",
        "redirect_uri": site.url("/callback"),
        "scope": "openid",
        "code_challenge": "a" * 43,
        "code_challenge_method": "S256",
    }
    with Person(issuer) as person:
        person.callback(f"{issuer}/oauth2/authorize?{urlencode(request)}", site.url("/callback"))
        asked = person.http.get(f"{issuer}/oauth2/end_session")
        form = forms_of(asked.text)["logout-confirm"]
        page = person.http.post(urljoin(issuer, form.action), data=form.fields)
        assert "You are signed out" in page.text


def let_the_lease_lapse(folder: Path) -> None:
    """Let a minute pass: nobody else can have taken what the dead process had."""
    connection = sqlite3.connect(folder / "everbearer.db")
    try:
        changed = connection.execute("UPDATE logouts SET due_at = due_at - 60").rowcount
        connection.commit()
        assert changed == 1
    finally:
        connection.close()


def test_a_logout_token_arrives_though_the_process_was_killed_on_the_way(tmp_path: Path) -> None:
    certificate = new_certificate(tmp_path, "relying-party")
    with relying_site(certificate) as site:
        settings = SETTINGS.format(login=LOGIN, password=PASSWORD, origin=site.origin)
        site.statuses[PATH] = 0
        with running_server(tmp_path, settings, secret=SECRET, trusts=certificate) as server:
            sign_in_and_out(server.issuer, site)
            site.wait_for(PATH)
            server.process.kill()
            server.process.wait()
        site.statuses.clear()
        let_the_lease_lapse(tmp_path)
        with running_server(tmp_path, settings, secret=SECRET, trusts=certificate):
            first, second = (claims_of(visit.form["logout_token"]) for visit in site.wait_for(PATH, number=2))

    assert first["sid"] == second["sid"]
    assert first["jti"] != second["jti"]
