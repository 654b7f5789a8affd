"""The stores: memory, SQLite and (next) PostgreSQL, with the SQL written once for both databases."""
