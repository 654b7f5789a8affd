"""`everbearer migrate`, `purge` and `explain`: what operators do now and then."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Annotated

import typer

from everbearer.oauth.authorization_server import AuthorizationServer
from everbearer.oauth.models import DAY
from everbearer.oauth.tokens.explain import Explanation, explain_token
from everbearer.server.cli.desk import ConfigOption, Desk, JsonOption, at_desk
from everbearer.server.cli.output import USAGE, fail, say, say_json, say_members
from everbearer.server.cli.telling import Parties, history_members, life_members, parties, say_history
from everbearer.server.upkeep.signing_keys import SigningKeys
from everbearer.storage.store import Purged

_SHOWN = ("kind", "alive", "text", "grant_id", "generation", "newest_generation", "client_id", "subject")


def migrate(config: ConfigOption = None, *, as_json: JsonOption = False) -> None:
    """Bring the database up to date; make it where there is none."""
    ran = at_desk(config, lambda desk: desk.store.migrate(), migrated=False)
    if as_json:
        say_json({"migrations": ran})
    else:
        say(f"Ran {', '.join(ran)}." if ran else "The database is up to date.")


def purge(
    keep: Annotated[int, typer.Option(min=0, help="For how many days the dead are kept.")] = 30,
    batch: Annotated[int, typer.Option(min=1, help="How many rows to remove at a time.")] = 1000,
    config: ConfigOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Remove what has long been dead: ended and expired grants, sessions and the like. The audit trail stays."""

    async def work(desk: Desk) -> Purged:
        sum_ = Purged()
        while (purged := await desk.store.purge(now=desk.now, keep=keep * DAY, batch=batch)).total:
            sum_ = Purged(
                grants=sum_.grants + purged.grants,
                sessions=sum_.sessions + purged.sessions,
                others=sum_.others + purged.others,
            )
        return sum_

    purged = at_desk(config, work)
    if as_json:
        say_json(asdict(purged))
    else:
        say(f"Removed {purged.grants} grants, {purged.sessions} sessions and {purged.others} other rows.")


def explain(
    token: Annotated[str, typer.Argument(help="A code, refresh token or access token; - for standard input.")],
    config: ConfigOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Tell which grant and generation a token is, whether it is alive, and if not why, when and by whom."""
    text = (sys.stdin.readline() if token == "-" else token).strip()
    if not text:
        fail("no token was given", code=USAGE)

    async def work(desk: Desk) -> tuple[Explanation, Parties]:
        sealer = desk.sealer()
        keys = SigningKeys(desk.store, sealer, lambda: desk.now)
        await keys.refresh()
        # Where the configuration names no issuer, none has issued anything.
        issuer = desk.config.issuer or "https://unknown.invalid"
        server = AuthorizationServer(
            issuer=issuer, store=desk.store, sealer=sealer, keys=keys, grants={}, now=lambda: desk.now
        )
        explanation = await explain_token(text, server)
        return explanation, await parties(explanation.client_id, explanation.subject, desk)

    explanation, concerned = at_desk(config, work)
    if as_json:
        members = {name: getattr(explanation, name) for name in _SHOWN}
        ended = asdict(explanation.ended) if explanation.ended else None
        history = history_members(explanation.grant)
        say_json(members | {"ended": ended, "login": concerned.login, "history": history})
    else:
        _tell(explanation, concerned)


def _tell(explanation: Explanation, concerned: Parties) -> None:
    say(explanation.text)
    if explanation.kind == "unknown":
        return
    say("")
    say_members(
        {
            "kind": explanation.kind.replace("_", " "),
            **life_members(explanation.ended, alive=explanation.alive, otherwise=explanation.text),
            "grant": explanation.grant_id,
            "generation": explanation.generation,
            "newest generation": explanation.newest_generation,
            "client": concerned.client_words,
            "user": concerned.user_words,
        }
    )
    if explanation.grant is not None:
        say("")
        say_history(explanation.grant.history)
