"""Secrets that are shown once: making them, and keeping only what recognises them again.

A plain hash is enough because every secret is random with at least 128 bits; there is nothing to guess from a list.
"""

import hashlib
import hmac
import secrets

_BYTES = 32
_PREFIX_LENGTH = 8


def new_secret() -> str:
    """Make a secret of 64 hexadecimal digits (256 random bits)."""
    return secrets.token_hex(_BYTES)


def digest(secret: str) -> str:
    """The SHA-256 of a secret as 64 hexadecimal digits; any text has one, so a caller's garbage is merely unknown."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def prefix(secret: str) -> str:
    """The first eight characters, which people tell secrets apart by."""
    return secret[:_PREFIX_LENGTH]


def matches(secret: str, stored_digest: str) -> bool:
    """Whether the digest is that of the secret, in a time that does not depend on where they differ."""
    return hmac.compare_digest(digest(secret).encode(), stored_digest.encode("utf-8", "surrogatepass"))
