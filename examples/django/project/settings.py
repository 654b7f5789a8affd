"""The settings of the application: an ordinary one, with users of Django's own."""

import os
import secrets
from pathlib import Path

FOLDER = Path(os.environ.get("DATA", "data")).absolute()
FOLDER.mkdir(mode=0o700, exist_ok=True)
ISSUER = os.environ.get("ISSUER", "http://127.0.0.1:8000")


def kept(name: str, text: str) -> str:
    """Return what a file of the application's holds that nobody else can read, made at the first start."""
    path = FOLDER / name
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(text)
    return path.read_text()


SECRET_KEY = kept("session-key", secrets.token_urlsafe(48))
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
ROOT_URLCONF = "project.urls"
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "oauth"]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": ["templates"],
        "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
    }
]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": FOLDER / "app.db",
        # On SQLite a transaction that reads and then writes must say so at once; PostgreSQL locks the row instead.
        "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 20, "init_command": "PRAGMA journal_mode=WAL"},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LOGIN_URL = "/login"
LOGIN_REDIRECT_URL = "/"
USE_TZ = True
