"""`benchmarks/fill`: many live grants in a database, and some of their refresh tokens."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Sequence

from everbearer.oauth.models import HISTORY_LENGTH

from measuring.filling import Kind, fill, tokens


def main(arguments: Sequence[str] | None = None) -> None:
    """Fill as the command line says."""
    parser = argparse.ArgumentParser(
        prog="benchmarks/fill",
        description="Fill a database that `everbearer migrate` has made with live grants of one client.",
    )
    parser.add_argument("database", help="the path of an SQLite file, or a postgresql:// URL")
    parser.add_argument("grants", type=int, help="how many")
    parser.add_argument("--client-id", required=True, help="whose they are")
    parser.add_argument("--scope", default="offline_access")
    parser.add_argument("--generation", type=int, default=1, help="how often each was issued a refresh token")
    parser.add_argument("--history", type=int, default=1, help=f"how many entries each has, {HISTORY_LENGTH} at most")
    parser.add_argument("--start", type=int, default=0, help="the number of the first, to add to earlier ones")
    parser.add_argument("--now", type=int, default=int(time.time()), help="the time of the fill, if not now")
    parser.add_argument(
        "--tokens", type=int, default=0, help="print refresh tokens of this many, sealed with EVERBEARER_SECRET"
    )
    asked = parser.parse_args(arguments)
    if asked.tokens and not os.environ.get("EVERBEARER_SECRET"):
        parser.error("--tokens: set EVERBEARER_SECRET to the server's secret")
    kind = Kind(
        name="filled",
        client_id=asked.client_id,
        scope=asked.scope,
        generation=asked.generation,
        history=asked.history,
    )
    taken = fill(asked.database, kind, asked.grants, now=asked.now, start=asked.start)
    if not asked.tokens:
        print(f"{asked.grants} grants in {taken:.1f} s.")
        return
    secret = os.environ["EVERBEARER_SECRET"]
    for token in tokens(kind, secret, count=asked.tokens, of=asked.start + asked.grants, now=asked.now):
        print(token)


if __name__ == "__main__":
    main()
