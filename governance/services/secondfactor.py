"""The second factor: one-time codes of an authenticator app (TOTP, RFC 6238), and recovery codes.

The secret is encrypted with a key made of the installation's secret key, in a table that only web
may read. A code is taken once: the time step of the last one is kept, and an older or equal one is
refused, whoever sent it first. Wrong codes are counted as wrong passwords are.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import dataclass

import pyotp
from django.conf import settings
from django.db import transaction
from django.db.models import F
from nacl.exceptions import CryptoError
from nacl.secret import SecretBox

from core import clock
from core.errors import InvalidInput, NotNow
from governance import audit, notices
from governance.models import Password, RecoveryCode, SecondFactor, User
from governance.permissions import acting_person
from governance.services import signin

ISSUER = "Gatehouse"
STEP_SECONDS = 30
STEPS_AROUND = 1
RECOVERY_CODES = 10
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A secret that is not in use yet, and the address an authenticator app reads it from."""

    secret: str
    address: str


def is_enrolled(user: User) -> bool:
    """Tell whether the person must give a code."""
    return SecondFactor.objects.filter(user_id=user.pk, confirmed_at__isnull=False).exists()


def pending(user: User) -> Enrolment | None:
    """Return the secret that the person began with and has not confirmed; reads only."""
    row = SecondFactor.objects.filter(user=user, confirmed_at=None).first()
    secret = _open(row.secret) if row is not None else None
    if secret is None:
        return None
    address = pyotp.TOTP(secret).provisioning_uri(name=user.email, issuer_name=ISSUER)
    return Enrolment(secret, address)


@transaction.atomic
def begin() -> None:
    """Give the acting person a secret to confirm; one that was begun before stays.

    Codes: ``second_factor.enrolled`` – remove the present one first.
    """
    user = acting_person()
    row = SecondFactor.objects.filter(user=user).select_for_update().first()
    if row is not None and row.confirmed_at:
        raise NotNow(
            "second_factor.enrolled",
            "Your account has a second factor already. Remove it before you set up another.",
        )
    if pending(user) is None:
        secret = _shut(pyotp.random_base32())
        SecondFactor.objects.update_or_create(user=user, defaults={"secret": secret})
        audit.record("person.second_factor_begun", user)


@transaction.atomic
def confirm(*, code: str) -> list[str]:
    """Put the secret in use with a first code; returns the recovery codes, shown this once.

    Every other session of the person ends. Codes: ``second_factor.code`` (field ``code``),
    ``second_factor.not_begun``.
    """
    user = acting_person()
    row = SecondFactor.objects.filter(user=user, confirmed_at=None).select_for_update().first()
    if row is None:
        raise NotNow("second_factor.not_begun", "Ask for the picture again and scan it.")
    step = _step_of(row, code)
    if step is None:
        raise _wrong()
    row.confirmed_at, row.last_step = clock.now(), step
    row.save(update_fields=["confirmed_at", "last_step"])
    codes = _new_recovery_codes(user)
    end_sessions(user)
    audit.record("person.second_factor_added", user)
    _tell(user, "A second factor was added to your account")
    return codes


@transaction.atomic
def remove() -> None:
    """Remove the acting person's own second factor. The view has asked for a code."""
    user = acting_person()
    if not is_enrolled(user):
        raise NotNow("second_factor.none", "Your account has no second factor.")
    drop(user)
    end_sessions(user)
    audit.record("person.second_factor_removed", user)
    _tell(user, "The second factor of your account was removed")


@transaction.atomic
def renew_recovery_codes() -> list[str]:
    """Replace the recovery codes; the old ones stop to work."""
    user = acting_person()
    if not is_enrolled(user):
        raise NotNow("second_factor.none", "Your account has no second factor.")
    audit.record("person.recovery_codes_renewed", user)
    return _new_recovery_codes(user)


def check_code(user: User, code: str, address: str) -> str:
    """Take a one-time or a recovery code and return how strong that proof is.

    Codes: ``second_factor.code`` (field ``password``), ``signin.too_many``.
    """
    account = f"code:{user.email}"[:254]
    signin.count_try(account, address, user)
    strength = _take(user, code)
    if strength is None:
        raise _wrong("password")
    signin.forget_tries(account, address)
    return strength


@transaction.atomic
def _take(user: User, code: str) -> str | None:
    text = "".join(code.split()).replace("-", "").lower()
    row = SecondFactor.objects.filter(user=user, confirmed_at__isnull=False).first()
    if row is None or not text:
        return None
    if len(text) == 6 and text.isascii() and text.isdigit():
        step = _step_of(row, text)
        newer = SecondFactor.objects.filter(user=user, last_step__lt=step or 0)
        # One statement: of two requests with the same code only one moves the step.
        return "totp" if step and newer.update(last_step=step) else None
    unused = RecoveryCode.objects.filter(user=user, hash=_hash(user, text), used_at=None)
    if not unused.update(used_at=clock.now()):
        return None
    left = RecoveryCode.objects.filter(user=user, used_at=None).count()
    with signin.as_system():
        audit.record("person.recovery_code_used", user, facts={"left": left})
    return "recovery_code"


def drop(user: User) -> None:
    """Take the second factor and its recovery codes away."""
    RecoveryCode.objects.filter(user=user).delete()
    SecondFactor.objects.filter(user=user).delete()


def end_sessions(user: User) -> None:
    """End every session of a person; the view keeps its own alive if it wants to."""
    Password.objects.filter(user=user).update(epoch=F("epoch") + 1)


def _step_of(row: SecondFactor, code: str) -> int | None:
    """Return the time step that a code belongs to; None when it is wrong or was used."""
    secret = _open(row.secret)
    now = int(clock.now().timestamp()) // STEP_SECONDS
    text = "".join(code.split())
    if secret is None or not text.isascii():
        return None
    for step in range(now - STEPS_AROUND, now + STEPS_AROUND + 1):
        expected = pyotp.TOTP(secret).generate_otp(step)
        if step > row.last_step and secrets.compare_digest(expected, text):
            return step
    return None


def _new_recovery_codes(user: User) -> list[str]:
    RecoveryCode.objects.filter(user=user).delete()
    codes = ["".join(secrets.choice(ALPHABET) for _ in range(16)) for _ in range(RECOVERY_CODES)]
    RecoveryCode.objects.bulk_create(RecoveryCode(user=user, hash=_hash(user, c)) for c in codes)
    return ["-".join(code[i : i + 4] for i in range(0, 16, 4)) for code in codes]


def _hash(user: User, code: str) -> str:
    return hashlib.sha256(f"{user.uuid}:{code}".encode("utf-8", "replace")).hexdigest()


def _box() -> SecretBox:
    key = hashlib.blake2b(
        settings.SECRET_KEY.encode(), digest_size=SecretBox.KEY_SIZE, person=b"second-factor"
    )
    return SecretBox(key.digest())


def _shut(secret: str) -> str:
    return base64.b64encode(bytes(_box().encrypt(secret.encode()))).decode("ascii")


def _open(stored: str) -> str | None:
    """Read a secret; None when the installation's secret key is another than then."""
    try:
        return _box().decrypt(base64.b64decode(stored)).decode()
    except (CryptoError, ValueError):
        return None


def _wrong(field: str = "code") -> InvalidInput:
    return InvalidInput(
        "second_factor.code",
        "This code is wrong, too old, or was used already. Wait for the next one and type that.",
        field=field,
    )


def _tell(user: User, subject: str) -> None:
    notices.send(
        [user],
        subject,
        f"Hello {user.get_short_name()},\n\n{subject}. Every other session of your account has "
        "ended.\n\nIf that was not you, tell an admin and the release board at once.\n",
    )
