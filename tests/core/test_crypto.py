import pytest

from apps.core import crypto


def test_what_is_encrypted_comes_back_and_is_never_the_same_twice() -> None:
    first, second = crypto.encrypt("sécret"), crypto.encrypt("sécret")
    assert first != second
    assert "sécret" not in first
    assert crypto.decrypt(first) == crypto.decrypt(second) == "sécret"


def test_a_new_key_reads_what_the_old_one_wrote_and_rotation_makes_the_old_one_superfluous(settings) -> None:
    settings.ENCRYPTION_KEYS = ["old" * 12]
    token = crypto.encrypt("text")
    settings.ENCRYPTION_KEYS = ["new" * 12, "old" * 12]
    assert crypto.decrypt(token) == "text"
    rotated = crypto.rotate(token)
    settings.ENCRYPTION_KEYS = ["new" * 12]
    assert crypto.decrypt(rotated) == "text"
    with pytest.raises(crypto.Undecipherable):
        crypto.decrypt(token)


def test_without_keys_of_its_own_it_follows_the_secret_key(settings) -> None:
    settings.ENCRYPTION_KEYS, settings.SECRET_KEY = [], "first secret"
    token = crypto.encrypt("text")
    settings.SECRET_KEY = "second secret"
    with pytest.raises(crypto.Undecipherable):
        crypto.rotate(token)


@pytest.mark.parametrize("token", ["", "no token", "gAAAA"])
def test_what_is_no_token_is_undecipherable(token: str) -> None:
    with pytest.raises(crypto.Undecipherable):
        crypto.decrypt(token)
