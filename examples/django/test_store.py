"""The store passes the suite that every store of Everbearer's passes: `python -m pytest test_store.py`."""

import os
from collections.abc import Iterator
from pathlib import Path

import django
import pytest
from django.core.management import call_command
from django.db import connection

import everbearer as eb
from everbearer.testing import BlockingStoreTests, PutClient

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
django.setup()

from oauth.store import DjangoStore, put_client

from oauth import models

TABLES = (models.OAuthClient, models.OAuthGrant, models.OAuthEnd, models.OAuthRemembered, models.OAuthEvent)


@pytest.fixture(scope="module", autouse=True)
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    path = tmp_path_factory.mktemp("database") / "app.db"
    connection.close()
    django.conf.settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = path
    call_command("migrate", verbosity=0)
    yield path
    connection.close()


class TestDjangoStore(BlockingStoreTests):
    """Eleven verbs on the application's own tables."""

    @pytest.fixture
    def store(self) -> DjangoStore:
        for table in TABLES:
            table.objects.all().delete()
        return DjangoStore()

    @pytest.fixture
    def put_client(self) -> PutClient:
        async def put(client: eb.Client) -> None:
            put_client(client)

        return put
