"""An orderly end loses nothing and leaves nothing."""

import threading
import time

import pytest
import requests

from flowize.demo.content import SAMPLE
from tests.server.installation import Installation
from tests.server.process import PATIENCE_SECONDS, wait_until
from tests.server.sink import Sink

pytestmark = [pytest.mark.server, pytest.mark.xdist_group("server")]


def test_worker_finishes_what_it_has_begun_and_leaves_no_process(shipped: Installation, sink: Sink) -> None:
    worker = shipped.serving["worker"]
    assert shipped.insert("being-called", delay=2).status_code == 201
    wait_until(lambda: sink.keys_of("being-called"), 10)
    began = time.monotonic()
    shipped.end("worker")

    assert time.monotonic() - began < PATIENCE_SECONDS
    assert worker.members() == []
    assert shipped.shown("being-called")["info"]["status"] == "Finished"
    assert sink.keys_of("being-called") == ["being-called:1:3"]


def test_web_answers_what_it_has_begun_and_leaves_no_process(shipped: Installation) -> None:
    web = shipped.serving["web"]
    ((token,),) = shipped.database.rows(
        "SELECT token FROM demo_echo WHERE organization_id = %s", int(shipped.acme["organization_id"])
    )
    answers: list[requests.Response] = []
    slow = threading.Thread(
        target=lambda: answers.append(shipped.call("POST", f"/demo/echo/{token}?delay=2", body=SAMPLE))
    )
    slow.start()
    seen = "SELECT 1 FROM demo_echocall c JOIN demo_echo e ON e.id = c.echo_id WHERE e.token = %s AND c.key = ''"
    wait_until(lambda: shipped.database.rows(seen, token), 10)
    code = shipped.end("web")
    slow.join()

    assert code == 0
    assert web.members() == []
    assert [(answer.status_code, answer.json()["received"]) for answer in answers] == [(200, SAMPLE)]
    with pytest.raises(requests.ConnectionError):
        shipped.call("GET", "/healthz")


def test_beat_ends_and_leaves_no_process(shipped: Installation) -> None:
    beat = shipped.serving["beat"]

    assert shipped.end("beat") == 0
    assert beat.members() == []
