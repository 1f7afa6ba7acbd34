from datetime import timedelta

import pytest

from apps.flows.engine.results import code_matches
from apps.flows.engine.retries import RetryPolicy, read_retry

FIVE_MINUTES = timedelta(minutes=5)


def delays(policy: RetryPolicy, *attempts: int, random: float = 0.0) -> list[float]:
    return [policy.delay_after(attempt, FIVE_MINUTES, lambda: random).total_seconds() for attempt in attempts]


def test_what_an_object_does_not_say_comes_from_the_project() -> None:
    policy = RetryPolicy()
    assert [policy.allows(attempt, "timeout", 2) for attempt in (1, 2, 3)] == [True, True, False]
    assert delays(policy, 1, 2, 9) == [300.0, 300.0, 300.0]


def test_the_delay_grows_to_its_longest() -> None:
    policy = read_retry({"max": 5, "delay": "10s", "factor": 2, "max_delay": "1m"})
    assert delays(policy, 1, 2, 3, 4, 100) == [10.0, 20.0, 40.0, 60.0, 60.0]


def test_without_a_longest_delay_it_is_a_day_or_the_delay_itself() -> None:
    assert delays(read_retry({"delay": "1h", "factor": 10}), 1, 2, 3, 100) == [3600.0, 36000.0, 86400.0, 86400.0]
    assert delays(read_retry({"delay": "3d", "factor": 10}), 1, 2) == [259200.0, 259200.0]


def test_jitter_takes_between_half_and_all_of_the_delay() -> None:
    policy = read_retry({"delay": "10s", "jitter": True})
    assert delays(policy, 1, random=0.0) == [5.0]
    assert delays(policy, 1, random=0.5) == [7.5]
    assert delays(policy, 1, random=1.0) == [10.0]


def test_only_the_codes_named_are_retried() -> None:
    policy = read_retry({"max": 1, "on": ["timeout", "http.429", "http.5xx"]})
    codes = ["timeout", "connection", "http.429", "http.404", "http.500", "http.599", "template"]
    assert [code for code in codes if policy.allows(1, code, 0)] == ["timeout", "http.429", "http.500", "http.599"]
    assert not policy.allows(2, "timeout", 9)


def test_max_zero_means_never() -> None:
    assert not read_retry({"max": 0}).allows(1, "timeout", 9)


@pytest.mark.parametrize(
    ("code", "patterns", "matches"),
    [
        ("http.503", ("http.5xx",), True),
        ("http.503", ("http.503",), True),
        ("http.404", ("http.5xx",), False),
        ("httpx5", ("http.5xx",), False),
        ("timeout", (), False),
    ],
)
def test_a_class_of_statuses_matches_its_members(code: str, patterns: tuple[str, ...], matches: bool) -> None:
    assert code_matches(code, patterns) is matches


@pytest.mark.parametrize(("wanted", "seconds"), [(None, 10), (5.0, 10), (60.0, 60), (1e9, 120), (0.0, 10)])
def test_the_other_side_may_ask_for_more_time_up_to_the_longest_delay(wanted: float | None, seconds: float) -> None:
    policy = read_retry({"delay": "10s", "max_delay": "2m", "jitter": True})
    assert policy.delay_after(1, timedelta(0), lambda: 1.0, wanted) == timedelta(seconds=seconds)
