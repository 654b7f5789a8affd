"""`everbearer client`: applications that ask for tokens."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, Any

import msgspec
import typer

from everbearer.oauth.client import AuthMethod, Client
from everbearer.oauth.clients.assertions import seal_client_secret
from everbearer.oauth.clients.authentication import CLIENT_SECRET
from everbearer.oauth.crypto.sealing import Sealer
from everbearer.oauth.encoding import base64url
from everbearer.oauth.events import Event, EventKind
from everbearer.oauth.models import Ended, EndReason
from everbearer.oauth.randomness import random_bytes
from everbearer.server.cli.client_members import client_kind, client_members, client_states, registration_members
from everbearer.server.cli.desk import ConfigOption, Desk, JsonOption, NotDone, YesOption, at_desk, confirm
from everbearer.server.cli.output import moment, say, say_json, say_members, say_table, warn
from everbearer.server.config.client_settings import changed_section, changed_settings, new_section, settings_of
from everbearer.server.config.clients import ClientSection
from everbearer.server.config.reading import ConfigError
from everbearer.server.config.rules import (
    client_setting_problems,
    needs_secret,
    secret_setting_problems,
)
from everbearer.server.declared.clients import CLIENT_SECRET_JWT, KeptSecrets, declared_client, keep_secrets

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

Id = Annotated[str, typer.Argument(metavar="CLIENT_ID")]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Any setting of [[clients]] as in the file, such as lifetimes.access_token=10m; may be repeated.",
    ),
]
KEPT_SECRETS = 2
"""The new one, and the one before it until the application has changed over."""


@app.command("list")
def list_clients(config: ConfigOption = None, *, as_json: JsonOption = False) -> None:
    """List all applications."""
    clients = at_desk(config, lambda desk: desk.store.clients())
    if as_json:
        say_json([client_members(client) for client in clients])
        return
    rows = [
        (
            each.client_id,
            each.client_name,
            client_kind(each),
            " ".join(each.grant_types),
            client_states(each),
        )
        for each in clients
    ]
    say_table(("CLIENT ID", "NAME", "KIND", "GRANT TYPES", ""), rows, otherwise="There are no clients.")


@app.command("show")
def show_client(client_id: Id, config: ConfigOption = None, *, as_json: JsonOption = False) -> None:
    """Show all settings of an application."""
    client = at_desk(config, lambda desk: _existing(client_id, desk))
    if as_json:
        say_json(client_members(client))
        return
    say_members(
        {
            "client_id": client.client_id,
            "kind": client_kind(client),
            "secrets": len(client.secrets),
            "created_at": moment(client.created_at),
            "disabled_at": moment(client.disabled_at),
            **registration_members(client),
        }
    )
    rows = [(key, setting.text) for key, setting in settings_of(client).items()]
    say("")
    say_table(("SETTING", "IN FORCE, AS --set TAKES IT"), rows, otherwise="")


@app.command("create")
def create_client(  # noqa: PLR0913 - one argument an option
    type_: Annotated[str, typer.Option("--type", help="spa, native, web or machine.")],
    client_id: Annotated[str, typer.Option("--id", help="Its client id; a random one where left out.")] = "",
    name: Annotated[str | None, typer.Option(help="What users see.")] = None,
    redirect_uri: Annotated[list[str] | None, typer.Option(help="May be repeated.")] = None,
    post_logout_redirect_uri: Annotated[list[str] | None, typer.Option(help="May be repeated.")] = None,
    scope: Annotated[str | None, typer.Option(help="All it may ask for, separated by spaces.")] = None,
    access_token_format: Annotated[str | None, typer.Option(help="jwt or opaque.")] = None,
    config: ConfigOption = None,
    *,
    set_: SetOption = None,
    first_party: Annotated[bool, typer.Option("--first-party", help="Your own: no consent page.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Create an application. Its secret, if it has one, is printed this once and never again."""
    short = {
        "type": type_,
        "client_id": client_id or None,
        "client_name": name,
        "redirect_uris": redirect_uri,
        "post_logout_redirect_uris": post_logout_redirect_uri,
        "scope": scope,
        "access_token_format": access_token_format,
        "first_party": first_party or None,
    }
    given = {key: value for key, value in short.items() if value is not None}
    client, secret = at_desk(config, lambda desk: _create(given, set_ or [], desk))
    _tell(client, secret, as_json=as_json)


def new_secret() -> str:
    """Return a new client secret: 43 characters of `[A-Za-z0-9_-]`, the same in a form, a URL and HTTP Basic."""
    return base64url(random_bytes(32))


async def _create(short: dict[str, Any], texts: list[str], desk: Desk) -> tuple[Client, str]:
    """Store a new client and return it with its secret; that is empty where none was made."""
    section = new_section(short, texts, desk.config)
    made = new_secret() if needs_secret(section) and not section.client_secret_file else ""
    section = msgspec.structs.replace(section, client_secret=made)
    problems = tuple(secret_setting_problems(section))
    if problems:
        raise ConfigError(*problems)
    secrets = keep_secrets(section, desk.sealer())
    problems = client_setting_problems(section, secrets, desk.config)
    if problems:
        raise ConfigError(*problems)
    client = replace(declared_client(section, secrets, desk.config), created_at=desk.now)
    if await desk.store.client(client.client_id) is not None:
        raise NotDone(
            f"there is a client {client.client_id} already; choose another id, or run: everbearer client change"
        )
    await desk.store.put_client(client, _event(EventKind.CLIENT_CREATED, client, desk))
    _warn_of_declaration(client, desk)
    return client, made


@app.command("change")
def change_client(
    client_id: Id, set_: SetOption = None, config: ConfigOption = None, *, as_json: JsonOption = False
) -> None:
    """Change settings of an application. A running server goes by them from its next request on, live grants too."""
    before, after = at_desk(config, lambda desk: _change(client_id, set_ or [], desk))
    changed = changed_settings(before, after)
    if as_json:
        differences = {key: {"before": was.value, "now": now.value} for key, (was, now) in changed.items()}
        say_json(client_members(after) | {"changed": differences})
        return
    rows = [(key, was.text, now.text) for key, (was, now) in changed.items()]
    say_table(("SETTING", "BEFORE", "NOW"), rows, otherwise="Nothing changed: all of it was so before.")


async def _change(client_id: str, texts: list[str], desk: Desk) -> tuple[Client, Client]:
    """Store a client with other settings and return it as it was and as it is."""
    before = await _existing(client_id, desk)
    section = changed_section(before, texts)
    secrets = KeptSecrets(hashes=before.secrets, sealed=before.sealed_secrets)
    problems = tuple(_missing_secret(section, secrets)) or client_setting_problems(
        section, secrets, desk.config, registration=before.registration
    )
    if problems:
        raise ConfigError(*problems)
    after = replace(
        declared_client(section, secrets, desk.config),
        created_at=before.created_at,
        disabled_at=before.disabled_at,
        registration=before.registration,
        epoch=before.epoch,
        used_at=before.used_at,
    )
    if after.registration is not None and after.scope != before.scope:
        # From now on it may register that, and no more.
        after = replace(after, registration=replace(after.registration, scope=after.scope))
    changed = " ".join(changed_settings(before, after))
    if changed:
        await desk.store.put_client(after, _event(EventKind.CLIENT_CHANGED, after, desk, change=changed))
    _warn_of_declaration(after, desk)
    return before, after


def _missing_secret(section: ClientSection, secrets: KeptSecrets) -> Iterator[str]:
    """Yield why a client cannot go over to a method that needs a secret it does not have here."""
    if needs_secret(section) and not secrets.hashes:
        yield "token_endpoint_auth_method: this client has keys and no secret; create another one to give it a secret"
    elif section.token_endpoint_auth_method == CLIENT_SECRET_JWT and not secrets.sealed:
        yield (
            "token_endpoint_auth_method: client_secret_jwt needs the secret itself, and only a hash of this client's "
            "is stored; create another one with this method"
        )


def _warn_of_declaration(client: Client, desk: Desk) -> None:
    if client.client_id in {section.client_id for section in desk.config.clients}:
        warn(
            f"warning: {client.client_id} is declared in the configuration, and the next start makes it as it stands "
            "there; write the same there"
        )


def _tell(client: Client, secret: str, *, as_json: bool) -> None:
    shown = {"client_id": client.client_id} | ({"client_secret": secret} if secret else {})
    if as_json:
        say_json(client_members(client) | shown)
        return
    say_members(shown)
    if secret:
        stored = "stored sealed" if client.sealed_secrets else "not stored"
        say(f"The secret is {stored}: keep it now, it cannot be shown again.")


@app.command("rotate-secret")
def rotate_secret(
    client_id: Id,
    config: ConfigOption = None,
    *,
    at_once: Annotated[bool, typer.Option("--now", help="Let the earlier secrets stop working at once.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Give an application a new secret, printed this once. The one before it works until the next rotation."""
    secret = new_secret()

    async def rotate(desk: Desk) -> Client:
        client = await _existing(client_id, desk)
        if client.public:
            raise NotDone(f"{client_id} is a public client: it has no secret to rotate")
        if not client.secrets:
            raise NotDone(f"{client_id} has keys of its own and no secret: it publishes a new key, or jwks is changed")
        changed = _with_secret(client, secret, desk.sealer(), kept=0 if at_once else KEPT_SECRETS - 1)
        await desk.store.put_client(changed, _event(EventKind.CLIENT_CHANGED, changed, desk, change="secret"))
        return changed

    _tell(at_desk(config, rotate), secret, as_json=as_json)


def _with_secret(client: Client, secret: str, sealer: Sealer, *, kept: int) -> Client:
    """Return a client with a new secret and some of its earlier ones."""
    sealed = client.sealed_secrets
    if client.token_endpoint_auth_method is AuthMethod.SECRET_JWT:
        sealed = (seal_client_secret(client.client_id, secret, sealer), *sealed[:kept])
    hashed = sealer.keyed_hash(CLIENT_SECRET, secret.encode())
    return replace(client, secrets=(hashed, *client.secrets[:kept]), sealed_secrets=sealed)


@app.command("disable")
def disable_client(client_id: Id, config: ConfigOption = None, *, as_json: JsonOption = False) -> None:
    """Refuse an application everything and end all its grants."""

    async def disable(desk: Desk) -> Client:
        client = await _existing(client_id, desk)
        changed = replace(client, disabled_at=client.disabled_at or desk.now)
        ends = Ended(reason=EndReason.CLIENT_DISABLED, actor=desk.actor, at=desk.now)
        event = _event(EventKind.CLIENT_CHANGED, changed, desk, change="disabled")
        await desk.store.put_client(changed, event, ends=ends)
        return changed

    _done(at_desk(config, disable), f"{client_id} is disabled; all its grants have ended.", as_json=as_json)


@app.command("enable")
def enable_client(client_id: Id, config: ConfigOption = None, *, as_json: JsonOption = False) -> None:
    """Let a disabled application ask for tokens again; what had ended stays ended."""

    async def enable(desk: Desk) -> Client:
        changed = replace(await _existing(client_id, desk), disabled_at=None)
        await desk.store.put_client(changed, _event(EventKind.CLIENT_CHANGED, changed, desk, change="enabled"))
        return changed

    _done(at_desk(config, enable), f"{client_id} is enabled.", as_json=as_json)


@app.command("delete")
def delete_client(
    client_id: Id, config: ConfigOption = None, *, yes: YesOption = False, as_json: JsonOption = False
) -> None:
    """Delete an application and end all its grants."""
    confirm(f"Delete {client_id} and end all its grants?", yes=yes)

    async def delete(desk: Desk) -> Client:
        client = await _existing(client_id, desk)
        ends = Ended(reason=EndReason.CLIENT_DELETED, actor=desk.actor, at=desk.now)
        await desk.store.delete_client(client_id, _event(EventKind.CLIENT_DELETED, client, desk), ends)
        return client

    _done(at_desk(config, delete), f"{client_id} is deleted; all its grants have ended.", as_json=as_json)


async def _existing(client_id: str, desk: Desk) -> Client:
    client = await desk.store.client(client_id)
    if client is None:
        raise NotDone(f"there is no client {client_id}; everbearer client list shows all")
    return client


def _event(kind: EventKind, client: Client, desk: Desk, **details: str) -> Event:
    return Event(kind=kind, at=desk.now, actor=desk.actor, client_id=client.client_id, details=details)


def _done(client: Client, sentence: str, *, as_json: bool) -> None:
    if as_json:
        say_json(client_members(client))
    else:
        say(sentence)
