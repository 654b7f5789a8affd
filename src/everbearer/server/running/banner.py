"""What development mode prints when it is ready: all one needs to try it."""

from __future__ import annotations

import sys
from pathlib import Path
from shutil import which
from typing import Any

from everbearer.server.config import Config
from everbearer.server.running.dev import DEMO_LOGIN, DemoCredentials


def banner_members(config: Config, credentials: DemoCredentials, file: Path) -> dict[str, Any]:
    """Return where the server is and how to get in, for programs."""
    issuer = config.issuer
    return {
        "issuer": issuer,
        "discovery": f"{issuer}/.well-known/openid-configuration",
        "playground": f"{issuer}/playground",
        "config": str(file),
        "clients": [
            {"client_id": "demo-spa", "kind": "public, first party"},
            {"client_id": "demo-web", "kind": "confidential", "client_secret": credentials.web_secret},
            {"client_id": "demo-machine", "kind": "machine", "client_secret": credentials.machine_secret},
            {"client_id": "demo-third-party", "kind": "public, asks for consent"},
            {"client_id": "demo-device", "kind": "public, without a browser"},
        ],
        "user": {"login": DEMO_LOGIN, "password": credentials.password},
        "curl": (
            f"curl -s -u demo-machine:{credentials.machine_secret} "
            f"-d grant_type=client_credentials {issuer}/oauth2/token"
        ),
    }


def banner(members: dict[str, Any]) -> str:
    """Return the same for people."""
    user = members["user"]
    lines = [
        "",
        "  Everbearer is ready, for development on this machine only. Stop it with Ctrl+C.",
        "",
        f"  Issuer       {members['issuer']}",
        f"  Discovery    {members['discovery']}",
        f"  Playground   {members['playground']}",
        "",
        *(_client_line(client) for client in members["clients"]),
        "",
        f"  User         {user['login']}",
        f"  Password     {user['password']}",
        "",
        "  Try          " + members["curl"].replace(" -d ", " \\\n                 -d "),
        "",
        f"  Other commands work on the same data: {_everbearer()} client list --config {members['config']}",
        "",
    ]
    return "\n".join(lines)


def _everbearer() -> str:
    """Return what people type to run us: our name where the shell finds it, else where we were installed."""
    beside = Path(sys.executable).with_name("everbearer")
    return str(beside) if which("everbearer") is None and beside.exists() else "everbearer"


def _client_line(client: dict[str, str]) -> str:
    secret = f"\n  Secret       {client['client_secret']}" if "client_secret" in client else ""
    return f"  Client       {client['client_id'].ljust(16)}  ({client['kind']}){secret}"
