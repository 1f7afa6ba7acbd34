import threading
import time
from collections.abc import Callable

import pytest

from apps.core.timed_cache import TimedCache


def counter() -> Callable[[], int]:
    made = iter(range(1, 1000))
    return lambda: next(made)


def test_a_value_is_made_once_while_it_lives() -> None:
    cache: TimedCache[str, int] = TimedCache(lambda: 60.0)
    make = counter()
    assert [cache.get_or_make("a", make) for _ in range(3)] == [1, 1, 1]
    assert cache.get_or_make("b", make) == 2


def test_a_value_is_made_again_when_its_time_is_over() -> None:
    cache: TimedCache[str, int] = TimedCache(lambda: 0.05)
    make = counter()
    assert cache.get_or_make("a", make) == 1
    time.sleep(0.06)
    assert cache.get_or_make("a", make) == 2


def test_zero_seconds_remember_nothing() -> None:
    cache: TimedCache[str, int] = TimedCache(lambda: 0.0)
    make = counter()
    assert [cache.get_or_make("a", make) for _ in range(3)] == [1, 2, 3]


def test_a_failure_is_not_remembered() -> None:
    cache: TimedCache[str, int] = TimedCache(lambda: 60.0)

    def fail() -> int:
        raise LookupError

    with pytest.raises(LookupError):
        cache.get_or_make("a", fail)
    assert cache.get_or_make("a", lambda: 7) == 7


def test_clear_forgets_everything() -> None:
    cache: TimedCache[str, int] = TimedCache(lambda: 60.0)
    make = counter()
    cache.get_or_make("a", make)
    cache.clear()
    assert cache.get_or_make("a", make) == 2


def test_a_full_cache_starts_afresh() -> None:
    cache: TimedCache[int, int] = TimedCache(lambda: 60.0, size=3)
    make = counter()
    assert [cache.get_or_make(key, make) for key in (1, 2, 3, 4)] == [1, 2, 3, 4]
    assert cache.get_or_make(4, make) == 4
    assert cache.get_or_make(1, make) == 5


def test_threads_share_what_was_made() -> None:
    cache: TimedCache[str, int] = TimedCache(lambda: 60.0)
    cache.get_or_make("a", lambda: 1)
    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.append(cache.get_or_make("a", lambda: 2))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [1] * 8
