"""How tests write a configuration file and read it."""

from __future__ import annotations

from collections.abc import Callable

from everbearer.server.config import Config

Load = Callable[..., Config]
"""Writes the text to a file and returns the configuration; keyword arguments are variables of the environment."""
