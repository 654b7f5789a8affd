"""`everbearer user`: people who sign in."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from everbearer.login.accounts import (
    UnknownUser,
    UnusableLogin,
    WeakPassword,
    change_claims,
    create_user,
    delete_user,
    disable_user,
    enable_user,
    set_password,
)
from everbearer.login.models import User
from everbearer.login.passwords import hash_password, weakness
from everbearer.login.sign_in import normal_login
from everbearer.server.cli.claims import ClaimOption, read_claims
from everbearer.server.cli.desk import ConfigOption, Desk, JsonOption, NotDone, YesOption, at_desk, confirm
from everbearer.server.cli.output import USAGE, fail, moment, say, say_json, say_members, say_table, warn
from everbearer.server.config.reading import ConfigError
from everbearer.server.config.secrets import read_secret_file
from everbearer.server.declared import weak_password_words
from everbearer.server.opening import in_thread

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

Name = Annotated[str, typer.Argument(metavar="LOGIN", help="The login, or the subject.")]
PasswordFile = Annotated[
    str, typer.Option(metavar="FILE", help="Read the password from a file, or from standard input where it is -.")
]


def user_members(user: User) -> dict[str, Any]:
    """Return what may be shown of a user: all but the password's hash."""
    return {
        "subject": user.subject,
        "login": user.login,
        "has_password": bool(user.password_hash),
        "claims": dict(user.claims),
        "disabled_at": user.disabled_at,
        "created_at": user.created_at,
        "updated_at": user.updated_at,
    }


@app.command("list")
def list_users(
    after: Annotated[str, typer.Option(help="Begin after this login.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 100,
    config: ConfigOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """List users by login."""
    users = at_desk(config, lambda desk: desk.store.users(after=after, limit=limit))
    if as_json:
        say_json([user_members(user) for user in users])
        return
    rows = [
        (each.login, each.subject, moment(each.created_at), "disabled" if each.disabled_at else "") for each in users
    ]
    say_table(("LOGIN", "SUBJECT", "CREATED", ""), rows, otherwise="There are no users.")


@app.command("show")
def show_user(login: Name, config: ConfigOption = None, *, as_json: JsonOption = False) -> None:
    """Show a user."""
    _show(at_desk(config, lambda desk: find_user(login, desk)), as_json=as_json)


@app.command("create")
def create(
    login: Annotated[str, typer.Argument(help="What the user types to sign in.")],
    password_file: PasswordFile = "",
    claim: ClaimOption = None,
    subject: Annotated[str, typer.Option(help="The sub of all tokens; a random one where left out.")] = "",
    config: ConfigOption = None,
    *,
    no_password: Annotated[bool, typer.Option("--no-password", help="Nobody can sign in by password yet.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Create a user. The password is asked for, or read from a file or standard input: never an argument."""
    claims = {name: value for name, value in read_claims(claim or []).items() if value is not None}
    password = "" if no_password else read_password(password_file)

    async def work(desk: Desk) -> User:
        return await create_user(
            login,
            password,
            store=desk.store,
            run=in_thread,
            now=desk.now,
            actor=desk.actor,
            claims=claims,
            subject=subject,
        )

    _show(at_desk(config, lambda desk: _understood(work, desk)), as_json=as_json)


@app.command("change")
def change(login: Name, claim: ClaimOption = None, config: ConfigOption = None, *, as_json: JsonOption = False) -> None:
    """Change claims of a user; others stay, and nothing ends."""
    claims = read_claims(claim or [])
    if not claims:
        fail("nothing to change was given; write --claim NAME=VALUE", code=USAGE)

    async def act(user: User, desk: Desk) -> None:
        await change_claims(user, claims, store=desk.store, now=desk.now, actor=desk.actor)
        if user.login in {normal_login(section.login) for section in desk.config.users}:
            warn(
                f"warning: {user.login} is declared in the configuration, and the next start gives the claims that "
                "stand there; write the same there"
            )

    _show(_act(config, login, act), as_json=as_json)


@app.command("set-password")
def change_password(
    login: Name, password_file: PasswordFile = "", config: ConfigOption = None, *, as_json: JsonOption = False
) -> None:
    """Give a user a new password. All of the user's sessions and grants end."""
    password = read_password(password_file)

    async def work(desk: Desk) -> User:
        user = await find_user(login, desk)
        await set_password(user, password, store=desk.store, run=in_thread, now=desk.now, actor=desk.actor)
        return await find_user(user.subject, desk)

    user = at_desk(config, lambda desk: _understood(work, desk))
    _done(user, "has a new password; all sessions and grants have ended.", as_json=as_json)


@app.command("hash-password")
def print_hash(password_file: PasswordFile = "", *, as_json: JsonOption = False) -> None:
    """Print the hash of a password, for `password_hash` in the configuration."""
    password = read_password(password_file)
    found = weakness(password, "")
    if found is not None:
        fail(f"the password {weak_password_words(found)}", code=USAGE)
    hashed = hash_password(password)
    if as_json:
        say_json({"password_hash": hashed})
    else:
        say(hashed)


@app.command("disable")
def disable(login: Name, config: ConfigOption = None, *, as_json: JsonOption = False) -> None:
    """Keep a user from signing in and end all sessions and grants."""
    user = _act(
        config, login, lambda user, desk: disable_user(user.subject, store=desk.store, now=desk.now, actor=desk.actor)
    )
    _done(user, "is disabled; all sessions and grants have ended.", as_json=as_json)


@app.command("enable")
def enable(login: Name, config: ConfigOption = None, *, as_json: JsonOption = False) -> None:
    """Let a disabled user sign in again; what had ended stays ended."""
    user = _act(
        config, login, lambda user, desk: enable_user(user.subject, store=desk.store, now=desk.now, actor=desk.actor)
    )
    _done(user, "is enabled.", as_json=as_json)


@app.command("delete")
def delete(login: Name, config: ConfigOption = None, *, yes: YesOption = False, as_json: JsonOption = False) -> None:
    """Delete a user and end all sessions and grants."""
    confirm(f"Delete {login} and end all sessions and grants?", yes=yes)

    async def work(desk: Desk) -> User:
        user = await find_user(login, desk)
        await delete_user(user.subject, store=desk.store, now=desk.now, actor=desk.actor)
        return user

    user = at_desk(config, lambda desk: _understood(work, desk))
    _done(user, "is deleted; all sessions and grants have ended.", as_json=as_json)


def _act(config: Path | None, login: str, act: Callable[[User, Desk], Awaitable[None]]) -> User:
    async def work(desk: Desk) -> User:
        user = await find_user(login, desk)
        await act(user, desk)
        return await find_user(user.subject, desk)

    return at_desk(config, lambda desk: _understood(work, desk))


async def _understood(work: Callable[[Desk], Awaitable[User]], desk: Desk) -> User:
    try:
        return await work(desk)
    except WeakPassword as error:
        raise ConfigError(f"the password {weak_password_words(error.weakness)}") from None
    except (UnusableLogin, UnknownUser) as error:
        raise NotDone(str(error)) from None


async def find_user(name: str, desk: Desk) -> User:
    """Return the user of a login or a subject.

    Raises:
        NotDone: there is none.

    """
    user = await desk.store.user_by_login(normal_login(name)) or await desk.store.user(name)
    if user is None:
        raise NotDone(f"there is no user {name}; everbearer user list shows all")
    return user


def read_password(file: str) -> str:
    """Return a password from a file, standard input or the keyboard."""
    try:
        if file and file != "-":
            password = read_secret_file(Path(file))
        elif not file and sys.stdin.isatty():
            password = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
        else:
            password = sys.stdin.readline().rstrip("\r\n")
    except ConfigError as error:
        fail(str(error), code=USAGE)
    if not password:
        fail("no password was given: type it, send it on standard input, or name a --password-file", code=USAGE)
    return password


def _show(user: User, *, as_json: bool) -> None:
    members: Mapping[str, object] = user_members(user)
    if as_json:
        say_json(members)
        return
    times = {name: moment(getattr(user, name)) for name in ("disabled_at", "created_at", "updated_at")}
    say_members({**members, **times})


def _done(user: User, sentence: str, *, as_json: bool) -> None:
    if as_json:
        say_json(user_members(user))
    else:
        say(f"{user.login} {sentence}")
