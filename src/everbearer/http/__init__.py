"""From bytes to a request value and back: ASGI, WSGI, CORS and the table of paths."""
