"""What commands tell of a grant: whose it is, whether it is alive, how it ended, and what happened to it lately."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from everbearer.login.models import User
from everbearer.oauth.client import Client
from everbearer.oauth.lifetimes import end_of
from everbearer.oauth.models import Ended, EndReason, Grant, HistoryEntry
from everbearer.oauth.tokens.explanations import DESCRIPTIONS
from everbearer.server.cli.desk import Desk
from everbearer.server.cli.output import moment, say_table


@dataclass(frozen=True, slots=True, kw_only=True)
class Parties:
    """Who gave a grant and who has it, as far as they are still there."""

    client_id: str
    subject: str
    client: Client | None
    user: User | None

    @property
    def client_words(self) -> str:
        """Return the client's name and id."""
        if self.client is None:
            return f"{self.client_id} (deleted)" if self.client_id else ""
        return f"{self.client.client_name} ({self.client_id})"

    @property
    def user_words(self) -> str:
        """Return the user's login and subject; the subject alone of a user who is gone, or was never one of ours."""
        return f"{self.user.login} ({self.subject})" if self.user else self.subject

    @property
    def login(self) -> str:
        """Return the user's login, empty where there is none."""
        return self.user.login if self.user else ""


async def parties(client_id: str, subject: str, desk: Desk) -> Parties:
    """Read who is concerned."""
    return Parties(
        client_id=client_id,
        subject=subject,
        client=await desk.store.client(client_id),
        user=await desk.store.user(subject),
    )


def end_of_grant(grant: Grant, client: Client | None, now: int) -> Ended | None:
    """Return how a grant ended, by an act or by itself; None while it is alive."""
    if client is None:
        return grant.ended or Ended(reason=EndReason.CLIENT_DELETED, actor="", at=now)
    return end_of(grant, client, now)


def life_members(ended: Ended | None, *, alive: bool, otherwise: str = "") -> dict[str, object]:
    """Return whether something is alive, and if not why, when and by whom; `otherwise` is why where nothing ended."""
    members: dict[str, object] = {"alive": "yes" if alive else "no"}
    if ended is not None:
        why = f"{DESCRIPTIONS[ended.reason]} ({ended.reason})"
        return members | {"why": why, "ended": moment(ended.at), "by": ended.actor}
    return members if alive else members | {"why": otherwise}


def say_history(history: tuple[HistoryEntry, ...]) -> None:
    """Print what lately happened to a grant, oldest first."""
    rows = [(moment(each.at), each.happening, each.generation, each.address, each.agent) for each in history]
    say_table(("HISTORY", "WHAT", "GENERATION", "ADDRESS", "AGENT"), rows, otherwise="No history.")


def history_members(grant: Grant | None) -> list[dict[str, Any]]:
    """Return the same for programs."""
    return [entry._asdict() for entry in grant.history] if grant else []
