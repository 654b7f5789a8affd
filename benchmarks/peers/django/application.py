"""django-oauth-toolkit in a project with nothing else in it: no middleware, so that its own path is what is measured.

Settings come by the environment: DATABASE_ENGINE, DATABASE_NAME, DATABASE_PORT.
"""

import os

import django
from django.conf import settings

SQLITE = {
    "ENGINE": "django.db.backends.sqlite3",
    "NAME": os.environ["DATABASE_NAME"],
    # As its documentation advises for more than one writer, and durable.
    "OPTIONS": {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
    },
}
POSTGRESQL = {
    "ENGINE": "django.db.backends.postgresql",
    "NAME": os.environ["DATABASE_NAME"],
    "HOST": "127.0.0.1",
    "PORT": os.environ.get("DATABASE_PORT", ""),
    "USER": "postgres",
    "CONN_MAX_AGE": None,
}

settings.configure(
    DEBUG=False,
    SECRET_KEY="not used by what is measured",
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF="urls",
    USE_TZ=True,
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "oauth2_provider"],
    MIDDLEWARE=[],
    DATABASES={"default": SQLITE if os.environ["DATABASE_ENGINE"] == "sqlite" else POSTGRESQL},
    OAUTH2_PROVIDER={
        "SCOPES": {"orders.read": "See your orders", "introspection": "Introspect tokens"},
        "ACCESS_TOKEN_EXPIRE_SECONDS": 1800,
        "REFRESH_TOKEN_EXPIRE_SECONDS": 30 * 24 * 3600,
        "ROTATE_REFRESH_TOKEN": True,
    },
)
django.setup()

from django.core.wsgi import get_wsgi_application  # noqa: E402 - after the settings

application = get_wsgi_application()
