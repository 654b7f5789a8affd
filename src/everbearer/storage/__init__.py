"""The stores: memory, SQLite and PostgreSQL, with the SQL written once for both databases."""
