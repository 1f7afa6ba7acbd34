"""The calls of the public documentation, as they are printed, and the answers it prints to them."""

from typing import Any

import pytest
from django.test import Client

from tests.contract.builders import filled
from tests.contract.curl import CurlCall, read_curl
from tests.contract.exchanges import Exchange, all_exchanges, answer_of, differences
from tests.contract.stage import Stage

EXCHANGES = all_exchanges()
CALLS = [
    pytest.param(exchange, style, id=f"{exchange.name}-{style}") for exchange in EXCHANGES for style in exchange.calls
]


def send(call: CurlCall) -> Any:
    headers = dict(call.headers)
    content_type = headers.pop("Content-Type", "")
    return Client().generic(call.method, call.target, call.body.encode(), content_type, headers=headers)


@pytest.mark.parametrize(("exchange", "style"), CALLS)
def test_documented_call_gets_the_documented_answer(acme: Any, rival: Any, exchange: Exchange, style: str) -> None:
    stage = Stage(acme, rival, base="http://testserver")
    for name in exchange.given:
        stage.named(name)
    expected = answer_of(exchange, stage.named)
    response = send(read_curl(filled(exchange.calls[style], stage.named)))
    assert response.status_code == exchange.status, response.content
    assert response["Content-Type"] == "application/json"
    assert differences(expected, response.json()) == []
