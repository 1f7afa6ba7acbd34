"""Secrets that have to be read again, encrypted at rest: credentials of connections, private keys of certificates.

``ENCRYPTION_KEYS`` holds the keys, the newest first: it encrypts, all of them decrypt. Without any, one is derived from
``SECRET_KEY``. Tokens are Fernet's: AES-128-CBC with HMAC-SHA256.
"""

import base64
import hashlib
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import models


class Undecipherable(Exception):
    """None of the keys decrypts this: it was written with a key that is no longer listed, or is damaged."""


def encrypt(text: str) -> str:
    """The text under the newest key, as ASCII."""
    return _fernet().encrypt(text.encode()).decode()


def decrypt(token: str) -> str:
    """The text of a token of ``encrypt``; raises Undecipherable."""
    try:
        return _fernet().decrypt(token.encode()).decode()
    except InvalidToken:
        raise Undecipherable("None of ENCRYPTION_KEYS decrypts a stored secret.") from None


def rotate(token: str) -> str:
    """The same text under the newest key; raises Undecipherable."""
    try:
        return _fernet().rotate(token.encode()).decode()
    except InvalidToken:
        raise Undecipherable("None of ENCRYPTION_KEYS decrypts a stored secret.") from None


def is_newest(token: str) -> bool:
    """Whether the newest key alone decrypts it."""
    try:
        _fernet_of(_keys()[:1]).decrypt(token.encode())
    except InvalidToken:
        return False
    return True


class EncryptedTextField(models.TextField):
    """Text that the database only ever sees encrypted; "" stays "". It cannot be searched by."""

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> str | None:
        """Decrypted."""
        return decrypt(value) if value else value

    def get_prep_value(self, value: Any) -> Any:
        """Encrypted."""
        text = super().get_prep_value(value)
        return encrypt(text) if text else text


def _fernet() -> MultiFernet:
    return _fernet_of(_keys())


def _keys() -> tuple[str, ...]:
    return tuple(settings.ENCRYPTION_KEYS) or (settings.SECRET_KEY,)


@lru_cache(maxsize=8)
def _fernet_of(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(base64.urlsafe_b64encode(hashlib.sha256(key.encode()).digest())) for key in keys])
