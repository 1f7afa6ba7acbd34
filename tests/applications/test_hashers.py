import hashlib

import pytest
from django.conf import settings
from django.contrib.auth.hashers import get_hasher, identify_hasher, make_password

from apps.applications.hashers import RandomSecretHasher

SECRET = "4f" * 32
STORED = "random-secret-sha256$-$" + hashlib.sha256(SECRET.encode()).hexdigest()


def test_a_secret_is_kept_as_its_hash() -> None:
    assert make_password(SECRET, hasher="random-secret-sha256") == STORED
    assert isinstance(identify_hasher(STORED), RandomSecretHasher)


@pytest.mark.parametrize(("tried", "right"), [(SECRET, True), (SECRET[:-1], False), ("", False), ("é", False)])
def test_only_the_secret_itself_matches(tried: str, right: bool) -> None:
    assert RandomSecretHasher().verify(tried, STORED) is right


def test_no_part_of_the_hash_is_shown() -> None:
    assert RandomSecretHasher().safe_summary(STORED) == {"algorithm": "random-secret-sha256"}


def test_peoples_passwords_use_a_slow_hash() -> None:
    assert get_hasher().algorithm == "pbkdf2_sha256"
    assert settings.PASSWORD_HASHERS[0].endswith("PBKDF2PasswordHasher")
