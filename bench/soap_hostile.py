"""Time and memory that hostile documents cost the SOAP interface, each in a process of its own, without its database.

    python -m bench.soap_hostile [--repeat 5]

Milliseconds are the best of some runs, from the request to the answer; bytes are what the process grew by at its most.
"""

import argparse
import multiprocessing
import os
import resource
import time
from typing import Any

import tests.home  # noqa: F401 - settings are read from its environment

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "flowize.settings")

import django

django.setup()

from django.test import RequestFactory  # noqa: E402

from apps.applications.ratelimit import RateState  # noqa: E402
from apps.soap import exchange  # noqa: E402
from tests.soap.hostile import HOSTILE  # noqa: E402

MOST_MS, MOST_MB = 50, 30


def measure(name: str, repeat: int) -> tuple[float, float, int]:
    """Milliseconds, megabytes and the status of one document; runs in a process that has done nothing else."""
    exchange.count_failed_login = lambda address: RateState(0, 0, 0)  # a statement more or less is not what is measured
    body, content_type, *_ = HOSTILE[name]
    made = body() or b" "
    exchange.Exchange(_request(b"<a/>", "text/xml")).answer()
    seconds, grown = [], 0.0
    for _ in range(repeat):
        request = _request(made, content_type)
        before = _peak()
        began = time.perf_counter()
        response = exchange.Exchange(request).answer()
        seconds.append(time.perf_counter() - began)
        grown = max(grown, _peak() - before)
    return min(seconds) * 1000, grown, response.status_code


def _request(body: bytes, content_type: str) -> Any:
    return RequestFactory().generic("POST", "/v1/soap", body, content_type)


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Measure and print; ends with 1 when one costs too much."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--repeat", type=int, default=5)
    repeat = options.parse_args().repeat
    over = 0
    context = multiprocessing.get_context("spawn")
    for name in HOSTILE:
        with context.Pool(1) as pool:
            ms, mb, status = pool.apply(measure, (name, repeat))
        excess = ms > MOST_MS or mb > MOST_MB
        over += excess
        print(f"{name:40} {status} {ms:7.1f} ms {mb:6.1f} MB {'TOO MUCH' if excess else ''}", flush=True)
    raise SystemExit(1 if over else 0)


if __name__ == "__main__":
    main()
