"""The log on standard error, for people or for machines. It tells what failed and what ended, and no ordinary request.

What a request carries (query, headers, body) never stands there: a message is made of words of our own, the method, and
the path where it is one of the table.
"""

from __future__ import annotations

import json
import logging
import logging.config
from collections.abc import Mapping
from contextvars import ContextVar
from datetime import UTC, datetime

from everbearer.oauth.events import Event, EventKind
from everbearer.oauth.models import EndReason
from everbearer.server.config import LogsSection

REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")
"""The id of the request that is being answered; empty outside of one."""

ENDS_TOLD = frozenset({EndReason.REUSED, EndReason.LATE_RETRIES, EndReason.CODE_REPLAYED})
"""What ends a grant and looks like theft."""

log = logging.getLogger("everbearer")


def configure_logs(logs: LogsSection) -> None:
    """Let all loggers of this process write to standard error."""
    formatter = JsonFormatter if logs.format == "json" else TextFormatter
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"ours": {"()": formatter}},
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "ours"}},
            "root": {"level": logs.level.upper(), "handlers": ["stderr"]},
        }
    )


class JsonFormatter(logging.Formatter):
    """One object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return a record as JSON."""
        members: dict[str, object] = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_fields(record),
        }
        if record.exc_info:
            members["exception"] = self.formatException(record.exc_info)
        return json.dumps(members, ensure_ascii=False, default=str)


class TextFormatter(logging.Formatter):
    """A line for people, what belongs to it behind it."""

    def format(self, record: logging.LogRecord) -> str:
        """Return a record as a line, with its traceback below it."""
        # Quoted as in JSON, so that no value can begin a line of its own.
        fields = "".join(f" {name}={json.dumps(value, default=str)}" for name, value in _fields(record).items())
        line = f"{_time(record)} {record.levelname} {record.name}: {record.getMessage()}{fields}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _fields(record: logging.LogRecord) -> Mapping[str, object]:
    request_id = REQUEST_ID.get()
    own: Mapping[str, object] = getattr(record, "fields", {})
    return {"request_id": request_id, **own} if request_id else own


def log_theft(event: Event) -> None:
    """Tell of a grant that was ended because a refresh token or code came back that should not have."""
    reason = event.details.get("reason", "")
    if event.kind is EventKind.INVALID_GRANT and reason in ENDS_TOLD:
        fields = {
            "reason": reason,
            "grant_id": event.grant_id,
            "client_id": event.client_id,
            "address": event.address,
        }
        log.warning("a grant has ended: a token or code of it came back", extra={"fields": fields})


def log_unusable_keys(event: Event) -> None:
    """Tell of a client that nothing can be encrypted to, for its developer may not be the one who reads this."""
    if event.kind is EventKind.CLIENT_KEYS_UNUSABLE:
        fields = {"client_id": event.client_id, "reason": event.details["reason"]}
        log.warning("a client gets no answer: it is to be encrypted, and no key fits", extra={"fields": fields})


def log_failure(method: str, endpoint: str, status: int) -> None:
    """Tell of a request that was answered by 5xx."""
    fields = {"method": method, "endpoint": endpoint, "status": status}
    log.error("a request failed", extra={"fields": fields})
