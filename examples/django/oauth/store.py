"""Everbearer's store on Django's ORM: eleven verbs, each one transaction. It passes the suite of `everbearer.testing`.

Every verb that changes a grant locks its row, lets Everbearer's own rules say what becomes of it, and writes that.
"""

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import IntegrityError, OperationalError, transaction
from django.db.models import Max

import everbearer as eb
from everbearer import store_rules
from oauth.models import OAuthClient, OAuthEnd, OAuthEvent, OAuthGrant, OAuthRemembered

P = ParamSpec("P")
T = TypeVar("T")


def whole(verb: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
    """Make a verb one transaction, and trouble with the database what Everbearer answers 503 to."""

    @wraps(verb)
    async def in_one_transaction(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            with transaction.atomic():
                return await verb(*args, **kwargs)
        except OperationalError as error:
            raise eb.StoreUnavailable("the database cannot answer") from error

    return in_one_transaction


class DjangoStore:
    """Implements `everbearer.Store`."""

    @whole
    async def client(self, client_id: str) -> eb.Client | None:
        """Return a client."""
        row = OAuthClient.objects.filter(pk=client_id).first()
        return row and eb.from_json(eb.Client, row.value)

    @whole
    async def allows_origin(self, origin: str) -> bool:
        """Return whether a client has a redirect URI on a web origin."""
        rows = OAuthClient.objects.filter(origins__contains=origin)
        return any(origin in row.origins.split() for row in rows)

    @whole
    async def create_grant(self, grant: eb.Grant, event: eb.Event) -> None:
        """Store a new grant, and that it was given."""
        new = store_rules.born(grant, newest_epoch)
        OAuthGrant.objects.create(
            grant_id=new.grant_id, client_id=new.client_id, subject=new.subject, value=eb.to_json(new)
        )
        write_down(event)

    @whole
    async def grant(self, grant_id: str) -> eb.Grant | None:
        """Return a grant with the end that has come upon it."""
        return read(grant_id)

    @whole
    async def spend(self, grant: eb.Grant, *, expected: int) -> eb.Spend:
        """Spend a generation, if it is the expected one and no end has come upon the grant."""
        after = store_rules.spent(read(grant.grant_id, lock=True), grant, expected=expected)
        if isinstance(after, eb.Spend):
            return after
        write(after)
        return eb.Spend.SPENT

    @whole
    async def confirm(self, grant_id: str, generation: int) -> None:
        """Note that the answer with a generation has arrived."""
        after = store_rules.confirmed(read(grant_id, lock=True), generation)
        if after is not None and after.ended is None:
            write(after)

    @whole
    async def end_grant(self, grant_id: str, ended: eb.Ended) -> bool:
        """End one grant, once."""
        grant = read(grant_id, lock=True)
        if grant is None or grant.ended is not None:
            return False
        write(store_rules.with_end(grant, [ended]))
        write_down(store_rules.grant_ended(grant_id, grant.client_id, grant.subject, ended))
        return True

    async def end_all(self, everything: eb.Everything, key: str, ended: eb.Ended) -> None:
        """End all grants of a user, client, consent or session by one row."""
        while not await self._end_all(everything, key, ended):
            pass

    async def remember(self, purpose: str, value: str, *, until: int) -> bool:
        """Keep a value; False where it was kept already."""
        try:
            await self._remember(purpose, value, until)
        except IntegrityError:
            return False
        return True

    @whole
    async def remembers(self, purpose: str, value: str) -> bool:
        """Return whether a value is kept."""
        return OAuthRemembered.objects.filter(purpose=purpose, value=value).exists()

    @whole
    async def record(self, event: eb.Event) -> None:
        """Add to the audit trail."""
        write_down(event)

    async def _end_all(self, everything: eb.Everything, key: str, ended: eb.Ended) -> bool:
        try:
            await self._add_end(everything, key, ended)
        except IntegrityError:  # somebody else ended the same at this moment: that was another epoch
            return False
        return True

    @whole
    async def _add_end(self, everything: eb.Everything, key: str, ended: eb.Ended) -> None:
        epoch = newest_epoch(everything, key) + 1
        OAuthEnd.objects.create(everything=everything, key=key, epoch=epoch, value=eb.to_json(ended))
        write_down(store_rules.all_ended(everything, key, ended))

    @whole
    async def _remember(self, purpose: str, value: str, until: int) -> None:
        OAuthRemembered.objects.create(purpose=purpose, value=value, until=until)


def put_client(client: eb.Client) -> None:
    """Store a client, new or changed. A form or the admin site of yours does this."""
    origins = " ".join(sorted(eb.web_origins(client)))
    OAuthClient.objects.update_or_create(
        client_id=client.client_id, defaults={"value": eb.to_json(client), "origins": origins}
    )


def read(grant_id: str, *, lock: bool = False) -> eb.Grant | None:
    """Return a grant with the end that has come upon it; with `lock` nobody else changes it in this transaction."""
    rows = OAuthGrant.objects.select_for_update() if lock else OAuthGrant.objects
    row = rows.filter(pk=grant_id).first()
    if row is None:
        return None
    grant = eb.from_json(eb.Grant, row.value)
    found = [OAuthEnd.objects.filter(**key._asdict()).first() for key in store_rules.end_keys(grant)]
    return store_rules.with_end(grant, [eb.from_json(eb.Ended, end.value) for end in found if end is not None])


def write(grant: eb.Grant) -> None:
    """Write a grant that was locked."""
    OAuthGrant.objects.filter(pk=grant.grant_id).update(value=eb.to_json(grant))


def newest_epoch(everything: eb.Everything, key: str) -> int:
    """Return how often all of a key have been ended."""
    rows = OAuthEnd.objects.filter(everything=everything, key=key)
    return rows.aggregate(newest=Max("epoch"))["newest"] or 0


def write_down(event: eb.Event) -> None:
    """Add a line to the audit trail."""
    OAuthEvent.objects.create(kind=event.kind, at=event.at, value=eb.to_json(event))
