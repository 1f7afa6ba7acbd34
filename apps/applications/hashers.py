"""How client secrets are stored."""

import hashlib
import hmac
from typing import Any

from django.contrib.auth.hashers import BasePasswordHasher


class RandomSecretHasher(BasePasswordHasher):
    """SHA-256, for secrets the platform generates with 256 random bits.

    A slow password hash protects guessable passwords; against random secrets it protects nothing and would let a
    few token requests a second occupy the machine. It is never the hasher of people's passwords.
    """

    algorithm = "random-secret-sha256"

    def salt(self) -> str:
        """None is needed: no two secrets are alike."""
        return "-"

    def encode(self, password: str, salt: str) -> str:
        """``algorithm$-$hex``."""
        return f"{self.algorithm}$-${hashlib.sha256(password.encode()).hexdigest()}"

    def verify(self, password: str, encoded: str) -> bool:
        """Compare in constant time."""
        return hmac.compare_digest(self.encode(password, "-"), encoded)

    def decode(self, encoded: str) -> dict[str, Any]:
        """The parts of a stored value."""
        algorithm, salt, digest = encoded.split("$", 2)
        return {"algorithm": algorithm, "salt": salt, "hash": digest}

    def safe_summary(self, encoded: str) -> dict[Any, Any]:
        """Nothing of the digest is worth showing."""
        return {"algorithm": self.algorithm}

    def harden_runtime(self, password: str, encoded: str) -> None:
        """Every verification takes the same time already."""
