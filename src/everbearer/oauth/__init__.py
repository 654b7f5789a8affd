"""The protocol: OAuth 2.x and OpenID Connect, free of frameworks and of I/O. It awaits nothing but the store."""
