"""The verbs in SQL, each with its text beside it, one text for SQLite and PostgreSQL."""
