"""Requests as SoapUI generates them from the WSDL, with ``?`` for every value: each has its clear Fault."""

from collections.abc import Iterator

import pytest
from django.db import transaction
from django.test import Client

from apps.soap.operations import OBJECTS, OPERATIONS
from tests.conftest import Tenant
from tests.contract.state import everything
from tests.soap.messages import post
from tests.soap.published import printed

XML = (
    '<soapenv:Envelope xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    'xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
    'xmlns:flow="Flowize">\n   <soapenv:Header/>\n   <soapenv:Body>\n'
    '      <flow:{operation} soapenv:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/">\n'
    '         <input xsi:type="flow:{request}">\n'
    "            <!--You may enter the following {count} items in any order-->\n{members}         </input>\n"
    "      </flow:{operation}>\n   </soapenv:Body>\n</soapenv:Envelope>"
)
VERSION = ("400", "AuthenticationObject/Version must be 1.")
UNKNOWN = ("404", "The requested resource doesn't exist.")


def generated(name: str, given: dict[str, str]) -> str:
    """The request of an operation, with values for some of its question marks."""
    operation = OPERATIONS[name]
    members = "".join(_members(operation.members, given, 12))
    return XML.format(operation=name, request=operation.request, count=len(operation.members), members=members)


def _members(names: tuple[str, ...], given: dict[str, str], indent: int) -> Iterator[str]:
    blank = " " * indent
    for name in names:
        yield f"{blank}<!--Optional:-->\n"
        if name in OBJECTS:
            inside = "".join(_members(OBJECTS[name], given, indent + 3))
            yield f'{blank}<{name} xsi:type="flow:{name}">\n{inside}{blank}</{name}>\n'
        else:
            yield f'{blank}<{name} xsi:type="xsd:string">{given.get(name, "?")}</{name}>\n'


@pytest.mark.parametrize("name", OPERATIONS)
def test_requests_as_they_are_generated(acme: Tenant, name: str) -> None:
    before = everything()
    for text in (generated(name, {}), printed(f"{name}.request")):
        answer = post(text)
        assert (answer.status, answer.fault) == (500, UNKNOWN if name == "webhook" else VERSION)
    assert everything() == before


CREDENTIALS_ONLY = {
    "insertSchema": "schema is not the base64 of a JSON document in UTF-8.",
    "insertRecord": "Data is not the base64 of a JSON document.",
    "getRecord": "There is no such data record.",
    "getSchema": "There is no data schema.",
    "getFlowDiagram": "The flow id must be a number.",
    "updateRecord": "Data is not the base64 of a JSON document.",
    "updateSchema": "schema is not the base64 of a JSON document in UTF-8.",
    "changeFlowStatus": "The flow id must be a number.",
    "deleteSchema": "There is no data schema.",
    "deleteRecord": "There is no such data record.",
}


@pytest.mark.parametrize("name", CREDENTIALS_ONLY)
def test_requests_with_nothing_but_credentials_filled_in(acme: Tenant, name: str) -> None:
    keys = {"Apikey": acme.api_key, "Appkey": acme.keys.app_key, "Version": "1"}
    before = everything()
    answer = post(generated(name, keys))
    assert answer.fault[1] == CREDENTIALS_ONLY[name]
    assert everything() == before


@pytest.mark.parametrize("name", CREDENTIALS_ONLY)
def test_each_question_mark_that_is_left(acme: Tenant, name: str) -> None:
    """Whichever value is forgotten, the call is carried out or refused, and nothing fails."""
    Client().post("/v1/record?flow=intake&uuid=known", {}, "application/json", headers=acme.headers)
    good = {
        "Apikey": acme.api_key,
        "Appkey": acme.keys.app_key,
        "Version": "1",
        "Uuid": "new" if name == "insertRecord" else "known",
        "ExecutionTime": "",
        "Data": "e30=",
        "Flow": "intake",
        "FlowId": "",
        "Status": "paused",
        "Url": "",
        "Schema": "e30=",
        "DataRecord": "e30=",
    }
    for left in good:
        with transaction.atomic():
            answer = post(generated(name, {key: value for key, value in good.items() if key != left}))
            transaction.set_rollback(True)
        assert answer.status in (200, 500)
        if answer.is_fault:
            assert 400 <= int(answer.fault[0]) < 500
            assert len(answer.fault[1]) < 200
