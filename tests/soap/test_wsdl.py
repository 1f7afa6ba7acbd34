"""The WSDL says what the operations take and answer, in the shape that every client reads."""

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from django.test import Client

from apps.soap.acts import Given
from apps.soap.namespaces import ENCODING_11
from apps.soap.operations import ALIAS, OBJECTS, OPERATIONS
from apps.soap.wsdl import write_wsdl
from tests.soap.published import PLACE, printed

GOLDEN = Path(__file__).parent / "golden"
SPACES = {
    "wsdl": "http://schemas.xmlsoap.org/wsdl/",
    "soap": "http://schemas.xmlsoap.org/wsdl/soap/",
    "xsd": "http://www.w3.org/2001/XMLSchema",
}
ADDRESS = "https://flowize.example/v1/soap"


def parsed(use: str = "encoded") -> ElementTree.Element:
    return ElementTree.fromstring(write_wsdl(ADDRESS, use))


def members(root: ElementTree.Element, kind: str) -> list[tuple[str, str]]:
    """The members of a type with their own types; each may be left out."""
    (found,) = root.findall(f"wsdl:types/xsd:schema/xsd:complexType[@name='{kind}']", SPACES)
    (choice,) = found
    assert choice.tag == f"{{{SPACES['xsd']}}}all"
    assert {element.get("minOccurs") for element in choice} <= {"0"}
    return [(element.get("name", ""), element.get("type", "")) for element in choice]


@pytest.mark.parametrize("use", ["encoded", "literal"])
def test_the_description_is_the_one_that_was_looked_at(use: str) -> None:
    assert write_wsdl(ADDRESS, use).decode() == (GOLDEN / f"{use}.wsdl").read_text()


def test_operations_are_those_of_the_table() -> None:
    root = parsed()
    for path in ("wsdl:portType/wsdl:operation", "wsdl:binding/wsdl:operation"):
        assert [found.get("name") for found in root.findall(path, SPACES)] == list(OPERATIONS)
    assert len(OPERATIONS) == 11
    assert ALIAS not in write_wsdl(ADDRESS, "encoded").decode()
    assert "soap:header" not in write_wsdl(ADDRESS, "encoded").decode()
    assert len(root.findall("wsdl:service/wsdl:port", SPACES)) == 1


@pytest.mark.parametrize("name", OPERATIONS)
def test_messages_and_types_of_an_operation(name: str) -> None:
    root, operation = parsed(), OPERATIONS[name]
    parts = {
        suffix: root.find(f"wsdl:message[@name='{name}{suffix}']/wsdl:part", SPACES)
        for suffix in ("Request", "Response")
    }
    given, answered = parts["Request"], parts["Response"]
    assert given is not None
    assert answered is not None
    assert given.attrib == {"name": "input", "type": f"tns:{operation.request}"}
    assert answered.attrib == {"name": f"{name}Result", "type": "tns:Response"}
    kinds = [(member, f"tns:{member}" if member in OBJECTS else "xsd:string") for member in operation.members]
    assert members(root, operation.request) == kinds
    # What the type of an answer's wrapper refers to.
    assert members(root, f"{name}Response") == [(f"{name}Result", "tns:Response")]


def test_types_are_those_of_the_published_messages() -> None:
    root = parsed()
    for name, texts in OBJECTS.items():
        assert members(root, name) == [(text, "xsd:string") for text in texts]
    answer = ["Id", "Code", "RequestIP", "Resource", "Message", "Error"]
    assert members(root, "Response") == [(text, "xsd:string") for text in answer]


@pytest.mark.parametrize("name", [name for name in OPERATIONS if name not in ("getFlowDiagram", "updateRecord")])
def test_published_requests_have_the_members_of_the_table(name: str) -> None:
    operation, text = OPERATIONS[name], printed(f"{name}.request")
    assert f'"mym:{operation.request}"' in text
    assert [found for found, _ in PLACE.findall(text)] == [
        leaf for member in operation.members for leaf in OBJECTS.get(member, (member,))
    ]


@pytest.mark.parametrize(("use", "style"), [("encoded", ENCODING_11), ("literal", None)])
def test_both_uses(use: str, style: str | None) -> None:
    bodies = parsed(use).findall("wsdl:binding/wsdl:operation/*/soap:body", SPACES)
    assert len(bodies) == 22
    expected = {"use": use, "namespace": "Flowize"} | ({"encodingStyle": style} if style else {})
    assert all(body.attrib == expected for body in bodies)
    actions = [found.get("soapAction") for found in parsed(use).iter(f"{{{SPACES['soap']}}}operation")]
    assert actions == [f"Flowize#{name}" for name in OPERATIONS]


def test_every_operation_does_something() -> None:
    assert [name for name, operation in OPERATIONS.items() if operation.act is None] == ["webhook"]
    assert Given({"Uuid": "a"}).text("Data") == ""


def address(response: Any) -> str:
    found = ElementTree.fromstring(response.content).find("wsdl:service/wsdl:port/soap:address", SPACES)
    assert found is not None
    return found.get("location", "")


@pytest.mark.parametrize(
    ("query", "use"),
    [
        ("wsdl", "encoded"),
        ("WSDL", "encoded"),
        ("wsdl=encoded", "encoded"),
        ("Wsdl=Literal", "literal"),
        ("a=b&wsdl=", "encoded"),
    ],
)
def test_the_description_needs_no_credentials(query: str, use: str) -> None:
    response = Client().get(f"/v1/soap?{query}")
    assert (response.status_code, response["Content-Type"]) == (200, "text/xml; charset=utf-8")
    assert response.content == write_wsdl(address(response), use)
    tag = response["ETag"]
    again = Client().get(f"/v1/soap?{query}", headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    head = Client().head(f"/v1/soap?{query}")
    assert (head.status_code, head["ETag"]) == (200, tag)


def test_a_style_that_is_not_there() -> None:
    response = Client().get("/v1/soap?wsdl=document")
    assert response.status_code == 400
    assert b"There is ?wsdl, with rpc/encoded, and ?wsdl=literal" in response.content


@pytest.mark.parametrize(
    ("public", "host", "secure", "expected"),
    [
        ("https://flowize.example", "flowize.example", False, "https://flowize.example/v1/soap"),
        ("http://flowize.example:8000", "flowize.example", False, "http://flowize.example:8000/v1/soap"),
        ("https://flowize.example", "api-x.flowize.example", True, "https://api-x.flowize.example/v1/soap"),
        ("https://flowize.example", "api-x.flowize.example:81", False, "http://api-x.flowize.example:81/v1/soap"),
    ],
)
def test_the_address_is_the_one_that_was_asked(
    settings: Any, public: str, host: str, secure: bool, expected: str
) -> None:
    settings.PUBLIC_URL, settings.ALLOWED_HOSTS = public, [".flowize.example"]
    assert address(Client().get("/v1/soap?wsdl", headers={"Host": host}, secure=secure)) == expected
    assert Client().get("/v1/soap?wsdl", headers={"Host": "evil.example"}).status_code == 400


def test_an_address_is_written_as_xml() -> None:
    assert b'location="https://a/?b&amp;&quot;&lt;"' in write_wsdl('https://a/?b&"<', "encoded")
