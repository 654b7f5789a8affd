"""Runs the server: its processes, development mode and what that prints."""
