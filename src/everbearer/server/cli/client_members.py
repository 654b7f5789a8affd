"""What commands tell of a client."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from everbearer.oauth.client import Client
from everbearer.oauth.scope import format_scope
from everbearer.server.cli.output import moment


def client_members(client: Client) -> dict[str, Any]:
    """Return what may be shown of a client: all but its secrets, of which only the number."""
    members = asdict(client)
    del members["sealed_secrets"]
    if client.registration is not None:
        del members["registration"]["access_token_hash"]
        members["registration"]["scope"] = format_scope(client.registration.scope)
    return members | {"secrets": len(client.secrets), "scope": format_scope(client.scope)}


def client_states(client: Client) -> str:
    """Return what is out of the ordinary with a client."""
    states = ("disabled" if client.disabled_at else "", "registered itself" if client.registration else "")
    return ", ".join(filter(None, states))


def registration_members(client: Client) -> dict[str, object]:
    """Return what is told of how a client registered itself."""
    record = client.registration
    if record is None:
        return {}
    return {
        "registered": "itself",
        "with token": record.authorized_by,
        "statement of": record.statement_issuer,
        "verified_at": moment(record.verified_at),
        "used_at": moment(client.used_at),
        "also told": record.metadata,
    }


def client_kind(client: Client) -> str:
    """Return whether a client can keep a secret."""
    return "public" if client.public else "confidential"
