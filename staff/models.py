"""The second factor of staff: the key of an authenticator app, sealed at rest."""

from __future__ import annotations

from base64 import b32encode
from secrets import token_bytes
from urllib.parse import quote, urlencode

from django.conf import settings
from django.db import models
from django_otp.models import Device, ThrottlingMixin
from django_otp.oath import TOTP

from probes.vault import Vault

ISSUER = "Upquorum"
KEY_BYTES = 20
"""RFC 4226, section 4: as long as what the hash makes."""
STEPS_OFF = 1
"""How many steps of 30 s the clock of a telephone may be off."""
FIELD = "staff.authenticator"


class Authenticator(ThrottlingMixin, Device):
    """An authenticator app of a member of staff, asked for its code once it is `confirmed`.

    The library's own device keeps its key as it is; this one is sealed for its user, as every secret here.
    """

    sealed = models.CharField(max_length=512)
    last_step = models.BigIntegerField(default=-1)
    """The step of the newest code that was taken: no code is good twice."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user"], name="one_authenticator_per_user")]

    @classmethod
    def begin(cls, user_id: int) -> Authenticator:
        """The user's authenticator, with a new key where there is none; good for nothing until confirmed."""
        sealed = Vault(settings.ENCRYPTION_KEYS).seal(
            token_bytes(KEY_BYTES).hex(), account=user_id, field=FIELD
        )
        values = {"name": "authenticator", "confirmed": False, "sealed": sealed}
        found: Authenticator = cls.objects.get_or_create(user_id=user_id, defaults=values)[0]
        return found

    @property
    def key(self) -> bytes:
        """Opened; raises `VaultError`."""
        vault = Vault(settings.ENCRYPTION_KEYS)
        return bytes.fromhex(vault.unseal(self.sealed, account=self.user_id, field=FIELD))

    @property
    def key_text(self) -> str:
        """The key as people type it into an app."""
        return b32encode(self.key).decode()

    @property
    def url(self) -> str:
        """The key as an app reads it from a QR code."""
        label = quote(f"{ISSUER}:{self.user.get_username()}")
        return f"otpauth://totp/{label}?{urlencode({'secret': self.key_text, 'issuer': ISSUER})}"

    def verify_token(self, token: str) -> bool:
        """Whether `token` is the code of now, and was not taken before. The caller holds the row's lock."""
        if not self.verify_is_allowed()[0]:
            return False
        totp = TOTP(self.key)
        if not token.isdecimal() or not totp.verify(int(token), STEPS_OFF, self.last_step + 1):
            self.throttle_increment()
            return False
        self.last_step = totp.t()
        self.throttle_reset(commit=False)
        self.save()
        return True

    def get_throttle_factor(self) -> float:
        """Seconds to wait after the first wrong code; twice as long after each further one."""
        return 1.0
