"""Counting in the memory of a process."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from apps.core import metrics
from apps.core.http.observing import route_name
from apps.core.metrics import METRICS, QUICK, Tally, bucket_of


@pytest.fixture(autouse=True)
def _nothing_counted() -> None:
    metrics.take()


def test_counts_add_up_until_they_are_taken() -> None:
    metrics.count("retries")
    metrics.count("retries", by=4)
    metrics.count("records_ended", "failed")
    metrics.count("records_created", by=0)
    assert metrics.take() == {("retries", ()): 5, ("records_ended", ("failed",)): 1}
    assert metrics.take() == {}


def test_what_could_not_be_kept_is_counted_again() -> None:
    metrics.count("retries")
    taken = metrics.take()
    metrics.count("retries")
    metrics.give_back(taken)
    assert metrics.take() == {("retries", ()): 2}


def test_a_time_goes_into_the_smallest_bucket_that_holds_it() -> None:
    metrics.observe("http_request_seconds", 0.02, "/x")
    metrics.observe("http_request_seconds", 99.0, "/x")
    assert metrics.take() == {
        ("http_request_seconds_bucket", ("/x", "0.025")): 1,
        ("http_request_seconds_bucket", ("/x", "+Inf")): 1,
        ("http_request_seconds_sum", ("/x",)): 99.02,
    }


@pytest.mark.parametrize(
    ("seconds", "bucket"), [(0.0, "0.005"), (0.005, "0.005"), (0.0051, "0.01"), (30, "30"), (31, "+Inf")]
)
def test_bounds_belong_to_their_bucket(seconds: float, bucket: str) -> None:
    assert bucket_of(QUICK, seconds) == bucket


def test_no_count_of_any_thread_is_lost() -> None:
    tally = Tally()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: [tally.add({("n", ()): 1}) for _ in range(500)], range(16)))
    assert tally.take() == {("n", ()): 8000}


def test_every_metric_says_what_it_is_and_has_rising_buckets() -> None:
    for metric in METRICS.values():
        assert metric.help.endswith(".")
        assert list(metric.buckets) == sorted(set(metric.buckets))


@pytest.mark.parametrize(
    ("route", "name"),
    [
        ("v1/^record/?$", "/v1/record"),
        ("v1/^record/(?P<uuid>[^/]+)/?$", "/v1/record/{uuid}"),
        (r"v1/^keystore/(?P<keystore_id>[^/]+)/(?P<key>.+?)/?$", "/v1/keystore/{keystore_id}/{key}"),
        ("demo/echo/<str:token>", "/demo/echo/{token}"),
        ("admin/flows/flow/<path:object_id>/change/", "admin"),
        ("", "/"),
    ],
)
def test_routes_as_people_read_them(route: str, name: str) -> None:
    assert route_name(route) == name


def routes(patterns: list[URLPattern | URLResolver], above: str = "") -> list[str]:
    found = []
    for pattern in patterns:
        route = above + str(pattern.pattern)
        found += routes(pattern.url_patterns, route) if isinstance(pattern, URLResolver) else [route]
    return found


def test_every_route_has_a_short_name_without_the_marks_of_patterns() -> None:
    names = {route_name(route) for route in routes(get_resolver().url_patterns)}
    assert len(names) < 80
    assert not [name for name in names if any(mark in name for mark in "^$?\\(<>[]+*")]
