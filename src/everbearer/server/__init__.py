"""Everbearer ready to run: configuration, command line, pages."""
