"""The store on one SQLite file: `SQLiteStore` for an event loop, `BlockingSQLiteStore` for threads."""

from everbearer.storage.sqlite.store import BlockingSQLiteStore as BlockingSQLiteStore
from everbearer.storage.sqlite.store import SQLiteStore as SQLiteStore

__all__ = ["BlockingSQLiteStore", "SQLiteStore"]
