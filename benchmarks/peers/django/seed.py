"""Makes the tables, the clients and as many refresh tokens as asked for; writes the tokens to standard output."""

import json
import os
import secrets
import sys
from datetime import timedelta

import application  # noqa: F401 - the settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.utils import timezone
from oauth2_provider.models import AccessToken, Application, RefreshToken

call_command("migrate", verbosity=0)


def client(name, grant):
    return Application.objects.create(
        client_id=name,
        client_secret=os.environ["CLIENT_SECRET"],
        # Its default is a password hash, checked at each request: that would measure the hash and nothing else.
        hash_client_secret=False,
        client_type=Application.CLIENT_CONFIDENTIAL,
        authorization_grant_type=grant,
        redirect_uris="https://client.example/callback",
        name=name,
    )


web = client("web", Application.GRANT_AUTHORIZATION_CODE)
client("machine", Application.GRANT_CLIENT_CREDENTIALS)
user = get_user_model().objects.create(username="ada")
issued = []
for _ in range(int(sys.argv[1])):
    access_token = AccessToken.objects.create(
        user=user,
        application=web,
        token=secrets.token_urlsafe(24),
        expires=timezone.now() + timedelta(seconds=1800),
        scope="orders.read introspection",
    )
    refresh_token = RefreshToken.objects.create(
        user=user, application=web, token=secrets.token_urlsafe(24), access_token=access_token
    )
    issued.append(refresh_token.token)
json.dump(issued, sys.stdout)
