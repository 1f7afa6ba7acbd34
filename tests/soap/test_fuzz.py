"""Messages with mistakes of every kind: always an answer that can be read, never an exception.

``SOAP_FUZZ=100000`` makes more of them than the usual number.
"""

import os
import random
import re
from collections import Counter
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import RequestFactory

from apps.records.services import create_records
from apps.soap import exchange
from apps.webhooks.services import register_webhook
from tests.conftest import Tenant
from tests.soap.messages import ENV_12, PATH, Answer, auth, base64_of, message
from tests.soap.published import corrected, printed, request
from tests.soap.test_reading import multi_ref

COUNT = int(os.environ.get("SOAP_FUZZ", "2000"))
ALPHABET = "<>&\"'=/?!#:;-[]()abcXYZ0123 \n\t\0\x01\x7f\xa0é漢😀\ud800\ufffe"
PIECES = [
    "<a>", "</a>", "<a/>", "&#0;", "&#xD800;", "&x;", "<![CDATA[", "]]>", "<!--", "-->", "<?x?>", "<!DOCTYPE a>",
    ' xsi:nil="true"', ' href="#id1"', ' id="id1"', ' xsi:type="xsd:base64Binary"', " xmlns=''", ' xmlns:mym="urn:x"',
    "mym:", "tns:", "<Uuid>", "</input>", "<multiRef id='id1'/>", "\ufeff", "x" * 5_000, "<a b='c' " * 70, "?", "null",
    "2026-13-45T25:61:61Z", "-1", "99999999999999999999", "e30=", "W10=", "bnVsbA==", "{}", "[]", "../../etc/passwd",
]  # fmt: skip
CONTENT_TYPES = [
    "text/xml; charset=utf-8", "text/xml", "application/soap+xml", "application/xml", "text/xml; charset=utf-16",
    "text/xml; charset=iso-8859-1", "", "text/plain", 'text/xml; charset="',
]  # fmt: skip
ACTIONS = ["", '""', '"Flowize#insertRecord"', "webhook", "\xff", "#" * 100]


def mutated(text: str, chance: random.Random, others: list[str]) -> str:
    """A message with one to six mistakes."""
    for _ in range(chance.randint(1, 6)):
        place, end = sorted((chance.randrange(len(text) + 1), chance.randrange(len(text) + 1)))
        short = min(end, place + chance.randint(1, 40))
        kind = chance.randrange(9)
        if kind == 0:
            text = text[:place] + text[short:]
        elif kind == 1:
            text = text[:place] + chance.choice(ALPHABET) + text[place + 1 :]
        elif kind == 2:
            text = text[:place] + chance.choice(PIECES) + text[place:]
        elif kind == 3:
            text = text[:place] + text[place:short] * chance.randint(2, 5) + text[short:]
        elif kind == 4:
            text = _with_another_value(text, chance)
        elif kind == 5:
            text = _without_an_element(text, chance)
        elif kind == 6:
            other = chance.choice(others)
            begin = chance.randrange(len(other))
            text = text[:place] + other[begin : begin + chance.randint(1, 200)] + text[short:]
        elif kind == 7:
            text = _with_an_element_elsewhere(text, chance)
        else:
            text = text[: chance.randrange(len(text) + 1)] if chance.random() < 0.2 else text
    return text


def _elements(text: str) -> list[re.Match[str]]:
    return list(re.finditer(r"<(\w+)[^<>]*>([^<]*)</\1>", text))


def _with_another_value(text: str, chance: random.Random) -> str:
    found = _elements(text)
    if not found:
        return text
    start, end = chance.choice(found).span(2)
    return text[:start] + chance.choice([*PIECES, ""]) + text[end:]


def _without_an_element(text: str, chance: random.Random) -> str:
    found = _elements(text)
    if not found:
        return text
    start, end = chance.choice(found).span()
    return text[:start] + text[end:]


def _with_an_element_elsewhere(text: str, chance: random.Random) -> str:
    found = _elements(text)
    if len(found) < 2:
        return text
    one, other = chance.sample(found, 2)
    return text[: one.start()] + other[0] + text[one.end() :]


def encoded(text: str, chance: random.Random) -> bytes:
    """The bytes of a message, at times of another charset, or with some of them wrong."""
    codec = chance.choice(["utf-8"] * 8 + ["utf-16", "latin-1"])
    body = text.encode(codec, "surrogatepass" if codec != "latin-1" else "replace")
    if chance.random() < 0.1 and body:
        place = chance.randrange(len(body))
        body = body[:place] + bytes([chance.randrange(256)]) + body[place + 1 :]
    return body


def seeds(tenant: Tenant, uri: str) -> list[str]:
    """Messages that are in order."""
    keys = {"Apikey": tenant.api_key, "Appkey": tenant.keys.app_key, "Version": "1"}
    data = base64_of({"client": [{"age": 30}]})
    record = keys | {"Uuid": "known", "ExecutionTime": "2026-01-01T00:00:00Z", "Data": data}
    return [
        request("insertSchema", keys | {"Schema": base64_of({}), "DataRecord": data, "Url": "http://a.example/"}),
        request("insertRecord", record | {"Flow": "intake"}),
        request("insertRecord", keys | {"Data": base64_of([{}, {}]), "FlowId": str(tenant.flow.pk)}),
        request("webhook", {"Uri": uri, "Payload": '{"a": [1, "&"]}'}),
        request("getRecord", keys | {"Uuid": "known"}),
        request("getSchema", keys),
        request("getFlowDiagram", keys | {"Flow": "intake"}),
        request("updateRecord", record),
        request("updateSchema", keys | {"Schema": base64_of({}), "DataRecord": data}),
        request("changeFlowStatus", keys | {"Flow": "intake", "Status": "paused"}),
        request("deleteSchema", keys),
        request("deleteRecord", keys | {"Uuid": "known"}),
        printed("postRecord.request"),
        corrected("header.request"),
        multi_ref(tenant),
        multi_ref(tenant, version=ENV_12),
        message("insertRecord", auth(tenant) | {"DataRecordObject": {"Data": data}}, namespace=ENV_12),
    ]


def test_messages_with_mistakes(acme: Tenant, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.LOGIN_RATE_LIMIT = 0
    failed: list[BaseException] = []
    translated = exchange.as_flowize_error

    def noted(error: BaseException) -> Any:
        known = translated(error)
        if known.status >= 500:
            failed.append(error)
        return known

    monkeypatch.setattr(exchange, "as_flowize_error", noted)
    create_records(acme.caller, [{}], flow_name="intake", uuid="known")
    good = seeds(acme, register_webhook(acme.workspace, name="orders", addresses="0.0.0.0/0", rate_limit=0).uri)
    chance, found = random.Random(20_160_930), Counter[str]()
    for number in range(COUNT):
        body = encoded(mutated(chance.choice(good), chance, good), chance)
        content_type = chance.choice(CONTENT_TYPES) if chance.random() < 0.1 else CONTENT_TYPES[0]
        action = {"SOAPAction": chance.choice(ACTIONS)} if chance.random() < 0.3 else {}
        asked = RequestFactory().generic("POST", PATH, body, content_type, headers=action)
        with transaction.atomic():
            answer = Answer(exchange.Exchange(asked).answer())
            transaction.set_rollback(True)
        assert failed == [], (number, body)
        code = answer.fault[0] if answer.is_fault else "success"
        found[code] += 1
        assert len(answer.response.content) < 40_000
    assert set(found) <= {"success", "400", "404", "409", "401", "415", "436", "403"}, found
    assert min(found["success"], found["400"], found["404"]) > COUNT / 50, found
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM records_record")
        assert cursor.fetchone() == (1,)
