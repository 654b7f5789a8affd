"""What clients know of users: by which name, what else, and of which session."""
