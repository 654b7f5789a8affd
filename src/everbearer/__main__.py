"""`everbearer` and `python -m everbearer`: the command line, or what to install for it."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line."""
    try:
        from everbearer.server.cli import main as command_line  # noqa: PLC0415 - a library alone has not what it needs
    except ModuleNotFoundError as missing:
        sys.exit(f"everbearer: the command line needs {missing.name} and more: pip install 'everbearer[server]'")
    command_line()


if __name__ == "__main__":
    main()
