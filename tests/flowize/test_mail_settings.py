"""What ``EMAIL_URL`` means."""

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from flowize import settings

SMTP = "apps.core.mail.Backend"


def mail(url: str) -> dict[str, Any]:
    return {key.removeprefix("EMAIL_"): value for key, value in settings._mail(url).items() if value}


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("smtp://mail.internal", {"BACKEND": SMTP, "HOST": "mail.internal"}),
        ("smtp://mail.internal:2525", {"BACKEND": SMTP, "HOST": "mail.internal", "PORT": 2525}),
        (
            "smtp+tls://me%40example.org:p%2Fw@mail.example.org:587",
            {
                "BACKEND": SMTP,
                "HOST": "mail.example.org",
                "PORT": 587,
                "HOST_USER": "me@example.org",
                "HOST_PASSWORD": "p/w",
                "USE_TLS": True,
            },
        ),
        ("smtps://mail.example.org:465", {"BACKEND": SMTP, "HOST": "mail.example.org", "PORT": 465, "USE_SSL": True}),
        (
            "filemail:///srv/mail",
            {"BACKEND": "django.core.mail.backends.filebased.EmailBackend", "FILE_PATH": "/srv/mail"},
        ),
    ],
)
def test_how_mail_leaves(url: str, found: dict[str, Any]) -> None:
    assert mail(url) == found


@pytest.mark.parametrize("url", ["mail.internal", "http://mail.internal", "mail.internal:25"])
def test_what_is_no_mail_url_ends_the_start(url: str) -> None:
    with pytest.raises(ImproperlyConfigured):
        settings._mail(url)


@pytest.mark.parametrize(
    ("embedded", "backend"),
    [(True, "django.core.mail.backends.filebased.EmailBackend"), (False, "apps.core.mail.NoMail")],
)
def test_without_a_url_only_a_first_try_keeps_mails(
    monkeypatch: pytest.MonkeyPatch, embedded: bool, backend: str
) -> None:
    monkeypatch.setattr(settings, "EMBEDDED", embedded)
    assert mail("")["BACKEND"] == backend
    assert mail("").get("FILE_PATH") == (str(settings.FLOWIZE_HOME / "mail") if embedded else None)
