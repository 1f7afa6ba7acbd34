"""Hostile documents: each has its Fault, costs little memory, and reaches nobody."""

import socket
import tracemalloc

import pytest
from django.test import RequestFactory

from apps.soap.exchange import Exchange
from tests.soap.hostile import HOSTILE
from tests.soap.messages import PATH, Answer

MOST_BYTES = 30_000_000


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_documents(db: None, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    body, content_type, status, code, text = HOSTILE[name]
    request = RequestFactory().generic("POST", PATH, body() or b" ", content_type)
    monkeypatch.setattr(socket.socket, "connect", _refuse_to_connect)
    tracemalloc.start()
    try:
        response = Exchange(request).answer()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    answer = Answer(response)
    assert (answer.status, answer.fault[0]) == (status, code)
    assert answer.fault[1].startswith(text)
    assert peak < MOST_BYTES
    assert len(response.content) < 1_500


def _refuse_to_connect(*given: object) -> None:
    raise AssertionError(f"something connects to {given[1:]}")
