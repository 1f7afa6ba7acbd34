"""When somebody is told that a certificate ends, and in which words."""

from datetime import UTC, datetime, timedelta

import pytest

from apps.environments.certificates import due_warning, warning_mail

END = datetime(2026, 5, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("before", "sent", "due"),
    [
        (timedelta(days=31), None, None),
        (timedelta(days=30, seconds=1), None, None),
        (timedelta(days=30), None, 30),
        (timedelta(days=20), None, 30),
        (timedelta(days=20), 30, None),
        (timedelta(days=14), 30, 14),
        (timedelta(days=14), 14, None),
        (timedelta(days=7), 14, 7),
        (timedelta(days=3), 30, 7),
        (timedelta(days=3), 7, None),
        (timedelta(days=1), 7, 1),
        (timedelta(seconds=1), None, 1),
        (timedelta(seconds=1), 1, None),
        (timedelta(), None, None),
        (timedelta(days=-1), 7, None),
    ],
)
def test_each_warning_is_due_once(before: timedelta, sent: int | None, due: int | None) -> None:
    assert due_warning(END, END - before, sent) == due


def test_looking_every_hour_warns_four_times() -> None:
    sent: list[int] = []
    now = END - timedelta(days=60)
    while now < END + timedelta(days=2):
        due = due_warning(END, now, sent[-1] if sent else None)
        sent += [due] if due else []
        now += timedelta(hours=1)

    assert sent == [30, 14, 7, 1]


def test_the_mail_says_whose_certificate_ends_when_and_where_to_go() -> None:
    subject, text = warning_mail(
        "Shop\nBcc: x", "shop.example.com", END, END - timedelta(days=6, hours=1), "https://f/1"
    )

    assert subject == "The certificate of Shop Bcc: x ends in 7 days"
    assert "(shop.example.com) ends on 2026-05-31 12:00 UTC, in 7 days." in text
    assert text.endswith("Upload a new one here:\nhttps://f/1\n")


def test_the_last_day_is_one_day() -> None:
    subject, _ = warning_mail("Shop", "a", END, END - timedelta(hours=3), "https://f/1")
    assert subject == "The certificate of Shop ends in 1 day"
