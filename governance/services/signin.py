"""Signing in with a password, with a limit on wrong ones.

A try is counted before the password is looked at and forgotten when it was right, so parallel
guesses cannot slip past the count. Counted are, over the last quarter of an hour, tries per account
and address, per account, and per address. Whether an account exists makes no difference to the
answer, to the count, or (as far as hashing goes) to the time the answer takes.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest

from core import clock
from core.context import Actor, acting_as
from core.db import advisory_lock
from core.errors import InvalidInput, NotNow
from governance import audit
from governance.models import SignInFailure, User
from governance.rules.addresses import written
from governance.states import PersonKind

WINDOW = timedelta(minutes=15)
PER_ACCOUNT_AND_ADDRESS = 5
PER_ACCOUNT = 25
PER_ADDRESS = 60
IPV6_NETWORK = 64


def authenticate(*, email: str, password: str, address: str) -> User:
    """Return the person with this e-mail address and password.

    Codes: ``signin.wrong`` for any wrong pair, ``signin.too_many`` while too many failed.
    """
    account = written(email)[:254]
    user = User.objects.filter(email=account, is_active=True, kind=PersonKind.PERSON).first()
    count_try(account, address, user)
    if user is None:
        # The same work as for a real account, so that time does not tell which exist.
        make_password(password)
    elif user.check_password(password):
        forget_tries(account, address)
        return user
    raise InvalidInput(
        "signin.wrong",
        "This e-mail address and password do not belong together. Check both and try again.",
    )


def check_password(user: User, password: str, address: str) -> None:
    """Check a signed-in person's password again, under the same limits.

    Codes: ``signin.wrong_password`` (field ``password``), ``signin.too_many``.
    """
    count_try(user.email, address, user)
    if not user.check_password(password):
        raise InvalidInput(
            "signin.wrong_password", "This is not your password. Try again.", field="password"
        )
    forget_tries(user.email, address)


def address_of(request: HttpRequest) -> str:
    """Return the network address that the request came from, as the server saw it."""
    return str(request.META.get("REMOTE_ADDR", ""))[:45]


@transaction.atomic
def record_sign_in(user: User, strength: str) -> None:
    """Write the sign-in into the history, with how it was proved."""
    with acting_as(Actor("person", user.pk, user.full_name)):
        audit.record("person.signed_in", user, facts={"auth": strength})


def as_system() -> AbstractContextManager[Actor]:
    """Act as the sign-in itself, for what happens before anybody is signed in."""
    return acting_as(Actor("system", None, "sign-in"))


@transaction.atomic
def count_try(account: str, address: str, user: User | None) -> None:
    """Count a try before it is looked at; refuses with ``signin.too_many`` past the limits."""
    address = _place(address)
    for name in sorted((f"signin:{account}", f"signin-address:{address}")):
        advisory_lock(name)
    since = clock.now() - WINDOW
    SignInFailure.objects.filter(failed_at__lte=since).delete()
    tries = _check_limits(account, address)
    SignInFailure.objects.create(account=account, address=address)
    if user is not None and tries + 1 == PER_ACCOUNT_AND_ADDRESS:
        facts = {"minutes": int(WINDOW.total_seconds() // 60), "tries": tries + 1}
        with as_system():
            audit.record("person.last_try", user, facts=facts)


def _check_limits(account: str, address: str) -> int:
    """Refuse when a limit is reached; returns the tries of this account from this address."""
    pairs: tuple[tuple[Q, int], ...] = (
        (Q(account=account), PER_ACCOUNT),
        (Q(address=address), PER_ADDRESS),
        (Q(account=account, address=address), PER_ACCOUNT_AND_ADDRESS),
    )
    counted: list[datetime] = []
    for condition, most in pairs:
        newest = SignInFailure.objects.filter(condition).order_by("-failed_at")[:most]
        counted = [row.failed_at for row in newest]
        if len(counted) >= most:
            raise _too_many(counted[-1] + WINDOW)
    return len(counted)


def _too_many(until: datetime) -> NotNow:
    minutes = max(1, -(-int((until - clock.now()).total_seconds()) // 60))
    unit = "minute" if minutes == 1 else "minutes"
    return NotNow(
        "signin.too_many",
        f"Too many wrong tries. Wait {minutes} {unit}, then try again.",
        until=until,
    )


def forget_tries(account: str, address: str) -> None:
    """Forget the tries of an account from an address: the last one was right."""
    SignInFailure.objects.filter(account=account, address=_place(address)).delete()


def _place(address: str) -> str:
    """Return what tries are counted for: of IPv6 the network, since one host has all of it."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if found.version == 4:
        return address
    return str(found.ipv4_mapped or ip_network((found, IPV6_NETWORK), strict=False))
