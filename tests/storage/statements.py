"""All statements of the stores in SQL, found and not listed, so that none is left out."""

from __future__ import annotations

import importlib
import pkgutil
import re

import everbearer.storage.sql

STATEMENT = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|CREATE)\s")


def every_statement() -> dict[str, str]:
    """Return each by the names of its module and constant."""
    found: dict[str, str] = {}
    for module in pkgutil.iter_modules(everbearer.storage.sql.__path__):
        names = vars(importlib.import_module(f"everbearer.storage.sql.{module.name}"))
        found |= {
            f"{module.name}.{name}": value
            for name, value in names.items()
            if name.isupper() and not name.startswith("_") and isinstance(value, str) and STATEMENT.match(value)
        }
    return found
