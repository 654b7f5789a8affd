"""The store on PostgreSQL: `PostgreSQLStore`, its connections, and what travels together on them."""

from everbearer.storage.postgresql.store import PostgreSQLStore as PostgreSQLStore

__all__ = ["PostgreSQLStore"]
