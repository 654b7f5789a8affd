"""The time, where no other is passed in."""

from __future__ import annotations

import time


def unix_now() -> int:
    """Return the time in whole seconds since 1970 (UTC)."""
    return int(time.time())
