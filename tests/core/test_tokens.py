import string

from hypothesis import given
from hypothesis import strategies as st

from apps.core.tokens import digest, matches, new_secret, prefix


def test_a_secret_is_64_hexadecimal_digits() -> None:
    secret = new_secret()
    assert len(secret) == 64
    assert set(secret) <= set(string.hexdigits.lower())


def test_no_two_secrets_are_alike() -> None:
    assert len({new_secret() for _ in range(1000)}) == 1000


def test_the_digest_is_plain_sha256() -> None:
    assert digest("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_the_prefix_is_the_first_eight_characters() -> None:
    assert prefix("0123456789abcdef") == "01234567"


def test_a_secret_matches_its_own_digest_only() -> None:
    secret, other = new_secret(), new_secret()
    assert matches(secret, digest(secret))
    assert not matches(other, digest(secret))
    assert not matches(secret, secret)
    assert not matches("", digest(secret))
    assert not matches(secret, "")


@given(st.text(alphabet=st.characters(exclude_categories=())), st.text(alphabet=st.characters(exclude_categories=())))
def test_any_text_is_merely_a_wrong_secret(given_secret: str, stored: str) -> None:
    assert not matches(given_secret, stored)
    assert matches(given_secret, digest(given_secret))
