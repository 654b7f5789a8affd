"""Simulations that the defaults and the sizing rest on: rotation policies, and load. Nothing of it runs in a server."""
