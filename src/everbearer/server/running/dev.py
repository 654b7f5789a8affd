"""Development mode: everything made ready in one folder, with demo clients and a demo user, on this machine only."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from msgspec import structs

from everbearer.oauth.crypto.sealing import Sealer
from everbearer.oauth.encoding import base64url
from everbearer.oauth.randomness import random_bytes
from everbearer.server.config import Config, UserSection
from everbearer.server.config.clients import ClientSection
from everbearer.server.config.file import DEFAULT_FILE

DEMO_LOGIN = "demo@example.com"
DEMO_SUBJECT = "demo"
SECRET_FILE = "secret"

REDIRECT_URIS = (
    "http://localhost:8081/",
    "http://localhost:8081/callback",
    "http://localhost:8081/auth-redirect",
    "http://localhost:3000/",
    "http://localhost:3000/callback",
    "http://localhost:3000/auth-redirect",
    "http://localhost:3000/after-authentication",
    "http://localhost:4000/auth-redirect",
    "http://localhost:5173/",
    "http://localhost:5173/auth-redirect",
    "http://127.0.0.1/",
    "http://127.0.0.1/callback",
)
"""Where applications under development live by custom. On 127.0.0.1 any port will do (RFC 8252 §7.3)."""
POST_LOGOUT_REDIRECT_URIS = (
    "http://localhost:3000",
    "http://localhost:3000/",
    "http://localhost:3000/after-logout",
    "http://localhost:4000/",
    "http://localhost:5173/",
    "http://localhost:8081/",
    "http://127.0.0.1/",
)

_CONFIG = """\
# Written anew by `everbearer dev` at each start. Other commands read it with --config.
issuer = "{issuer}"
secret_file = "{secret_file}"

[server]
host = "{host}"
port = {port}
database = "everbearer.db"
fetch_from_private_addresses = true
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoCredentials:
    """The secrets of the demo clients and the demo user's password: made of the secret, so stored nowhere in clear."""

    web_secret: str = field(repr=False)
    machine_secret: str = field(repr=False)
    password: str = field(repr=False)


def prepare_folder(folder: Path, *, host: str, port: int) -> Path:
    """Make the folder and the secret where they are missing, write the configuration and return its path."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    secret = folder / SECRET_FILE
    if not secret.exists():
        _write_private(secret, base64url(random_bytes(48)) + "\n")
    config = folder / DEFAULT_FILE
    url_host = f"[{host}]" if ":" in host else host
    text = _CONFIG.format(issuer=f"http://{url_host}:{port}", secret_file=SECRET_FILE, host=host, port=port)
    config.write_text(text, encoding="utf-8")
    return config


def _write_private(path: Path, text: str) -> None:
    """Write a file that nobody else could read at any moment, whole or not at all."""
    unfinished = path.with_suffix(".new")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    unfinished.rename(path)


def demo_credentials(sealer: Sealer) -> DemoCredentials:
    """Return this installation's demo secrets: the same at each start, different from every other installation's."""

    def derived(name: str) -> str:
        return sealer.keyed_hash("demo", name.encode()).rpartition(".")[2]

    letters = "".join(letter for letter in derived("password").lower() if letter.isalnum())
    return DemoCredentials(
        web_secret=derived("demo-web"),
        machine_secret=derived("demo-machine"),
        password="-".join(letters[at : at + 4] for at in range(0, 16, 4)),
    )


def with_demo(config: Config, credentials: DemoCredentials, redirect_uris: Sequence[str] = ()) -> Config:
    """Return the configuration with the demo clients and the demo user declared."""
    return structs.replace(
        config,
        clients=(*config.clients, *_demo_clients(config, credentials, tuple(redirect_uris))),
        users=(*config.users, _demo_user(credentials)),
    )


def _demo_clients(config: Config, credentials: DemoCredentials, more: tuple[str, ...]) -> tuple[ClientSection, ...]:
    own = (f"{config.issuer}/playground", f"{config.issuer}/playground/callback")
    uris = tuple(dict.fromkeys((*REDIRECT_URIS, *more, *own)))
    after = tuple(dict.fromkeys((*POST_LOGOUT_REDIRECT_URIS, *more, own[0])))

    def browser(client_id: str, name: str, **settings: object) -> ClientSection:
        section = ClientSection(
            client_id=client_id,
            client_name=name,
            type="spa",
            redirect_uris=uris,
            post_logout_redirect_uris=after,
            lifetimes=config.lifetimes,
            rotation=config.rotation,
        )
        return structs.replace(section, **settings)

    return (
        browser("demo-spa", "Demo single-page app", first_party=True),
        # Applications that send no PKCE by themselves, such as PHP's league/oauth2-client, are to be tried as they are.
        browser(
            "demo-web",
            "Demo web app",
            type="web",
            first_party=True,
            client_secret=credentials.web_secret,
            require_pkce=False,
        ),
        browser("demo-third-party", "Demo app of somebody else"),
        ClientSection(
            client_id="demo-machine",
            client_name="Demo machine",
            type="machine",
            client_secret=credentials.machine_secret,
            scope="profile email",
            introspects_all=True,
            lifetimes=config.lifetimes,
            rotation=config.rotation,
        ),
        ClientSection(
            client_id="demo-device",
            client_name="Demo television",
            type="native",
            grant_types=("urn:ietf:params:oauth:grant-type:device_code", "refresh_token"),
            lifetimes=config.lifetimes,
            rotation=config.rotation,
        ),
    )


def _demo_user(credentials: DemoCredentials) -> UserSection:
    return UserSection(
        login=DEMO_LOGIN,
        password=credentials.password,
        subject=DEMO_SUBJECT,
        claims={
            "name": "Demi Demo",
            "given_name": "Demi",
            "middle_name": "Ever",
            "family_name": "Demo",
            "nickname": "Demi",
            "preferred_username": "demo",
            "profile": "https://example.com/demo",
            "picture": "https://example.com/demo.png",
            "website": "https://example.com/",
            "gender": "unspecified",
            "birthdate": "1990-01-01",
            "zoneinfo": "Europe/Berlin",
            "locale": "en-GB",
            "updated_at": 1_735_689_600,
            "email": DEMO_LOGIN,
            "email_verified": True,
            "phone_number": "+1-202-555-0100",
            "phone_number_verified": True,
            "address": {
                "formatted": "1 Example Street\nExampleton\n12345\nDemoland",
                "street_address": "1 Example Street",
                "locality": "Exampleton",
                "region": "Example County",
                "postal_code": "12345",
                "country": "Demoland",
            },
        },
    )


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens on an address; port 0 takes a free one, `::` stands for IPv4 too.

    Raises:
        OSError: the port is taken, or the host is not an address of this machine.

    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    both = host == "::" and socket.has_dualstack_ipv6()
    return socket.create_server((host, port), family=family, backlog=2048, dualstack_ipv6=both)
