"""The application's own tables: notes, consents, and all that Everbearer keeps."""

from django.conf import settings
from django.db import models


class Note(models.Model):
    """What the API gives."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)
    text = models.TextField()


class Consent(models.Model):
    """What a user has let a client have."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)
    client_id = models.CharField(max_length=255)
    scope = models.TextField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "client_id"], name="one_consent")]


class OAuthClient(models.Model):
    """A client."""

    client_id = models.CharField(max_length=255, primary_key=True)
    value = models.TextField(help_text="The client, by everbearer.to_json")
    origins = models.TextField(default="")


class OAuthGrant(models.Model):
    """A user let a client do something: one row for ever. The value changes; the columns are for looking up."""

    grant_id = models.CharField(max_length=32, primary_key=True)
    client_id = models.CharField(max_length=255, db_index=True)
    subject = models.CharField(max_length=255, db_index=True)
    value = models.TextField()


class OAuthEnd(models.Model):
    """All grants of a user, client, consent or session ended, those of earlier epochs than this."""

    everything = models.CharField(max_length=16)
    key = models.CharField(max_length=600)
    epoch = models.IntegerField()
    value = models.TextField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["everything", "key", "epoch"], name="one_end")]


class OAuthRemembered(models.Model):
    """A value that counts once."""

    purpose = models.CharField(max_length=64)
    value = models.CharField(max_length=255)
    until = models.BigIntegerField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["purpose", "value"], name="once")]


class OAuthEvent(models.Model):
    """A line of the audit trail."""

    kind = models.CharField(max_length=64)
    at = models.BigIntegerField(db_index=True)
    value = models.TextField()
