"""The passwords of this server's users as grants: checked, limited and told as at the sign-in page."""

from __future__ import annotations

from collections.abc import Callable

from everbearer.login.models import PASSWORD, User
from everbearer.login.passwords import RunHeavy
from everbearer.login.sign_in import Attempt, SignInLimits, TooManyAttempts, user_of_password
from everbearer.login.store import AccountStore
from everbearer.oauth.errors import TooManyRequests
from everbearer.oauth.events import Event, EventKind
from everbearer.oauth.grants.password import CheckPassword
from everbearer.oauth.messages import Request
from everbearer.oauth.models import Authentication


def checked_passwords(
    store: AccountStore,
    *,
    run: RunHeavy,
    limits: SignInLimits,
    acr: str,
    now: Callable[[], int],
    notify: Callable[[Event], None],
) -> CheckPassword:
    """Return the function that says whose a username and password are."""

    async def check(username: str, password: str, request: Request) -> Authentication | None:
        attempt = Attempt(login=username, password=password, address=request.remote_address, agent=request.user_agent)
        outcome = await user_of_password(attempt, store=store, run=run, now=now(), limits=limits)
        notify(_told(outcome, request, now()))
        if isinstance(outcome, TooManyAttempts):
            raise TooManyRequests(
                "too many attempts with this username or from this address", retry_after=outcome.retry_after
            )
        if not isinstance(outcome, User):
            return None
        return Authentication(
            subject=outcome.subject, auth_time=now(), amr=(PASSWORD,), acr=acr, user_epoch=outcome.epoch
        )

    return check


def _told(outcome: object, request: Request, now: int) -> Event:
    user = outcome if isinstance(outcome, User) else None
    reason = "too many attempts" if isinstance(outcome, TooManyAttempts) else "wrong credentials"
    return Event(
        kind=EventKind.SIGNED_IN if user else EventKind.SIGN_IN_FAILED,
        at=now,
        subject=user.subject if user else "",
        address=request.remote_address,
        agent=request.user_agent,
        details={} if user else {"reason": reason},
    )
