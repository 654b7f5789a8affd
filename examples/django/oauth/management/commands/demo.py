"""`python manage.py demo [PORT]`: tables, a user and a client to try it with, and Django's own server."""

from argparse import ArgumentParser

from django.contrib.auth import get_user_model
from django.core.management import BaseCommand, call_command

import everbearer as eb
from oauth.models import Note
from oauth.store import put_client


class Command(BaseCommand):
    """Makes everything ready and runs it."""

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the port."""
        parser.add_argument("port", nargs="?", default="8000")

    def handle(self, *_: object, **options: str) -> None:
        """Run it."""
        call_command("migrate", verbosity=0)
        users = get_user_model().objects
        if not users.filter(username="ada").exists():
            ada = users.create_user("ada", "ada@example.com", "lovelace", first_name="Ada", last_name="Lovelace")
            Note.objects.create(user=ada, text="The Engine weaves algebraical patterns.")
        put_client(
            eb.Client(
                client_id="app",
                client_name="Notebook",
                redirect_uris=("http://127.0.0.1/callback",),
                scope=("openid", "offline_access", "profile", "notes:read"),
            )
        )
        call_command("runserver", f"127.0.0.1:{options['port']}", use_reloader=False)
