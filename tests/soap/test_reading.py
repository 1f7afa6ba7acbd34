"""What is understood of the messages that real clients send, and what is refused by naming the element."""

import json

import pytest

from apps.records.models import Record
from tests.conftest import Tenant
from tests.soap.messages import ENV_11, ENV_12, Answer, auth, base64_of, call, elements, message, post

DOCUMENT = {"name": "Zoë <&> 漢字 😀"}
DATA = base64_of(DOCUMENT)
TYPED = (
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xsd="http://www.w3.org/2001/XMLSchema" '
    'xmlns:soapenc="http://schemas.xmlsoap.org/soap/encoding/"'
)


def keys(tenant: Tenant) -> str:
    return elements(auth(tenant))


def insert(tenant: Tenant, record: str, flow: str = "<Flow>intake</Flow>", attributes: str = "") -> Answer:
    """A call whose DataRecordObject holds ``record``."""
    inside = (
        f"{keys(tenant)}<DataRecordObject {attributes}>{record}</DataRecordObject>"
        f"<FlowDiagramObject>{flow}</FlowDiagramObject>"
    )
    return post(message("insertRecord", inside).replace("<e:Envelope", f"<e:Envelope {TYPED}"))


def stored() -> Record:
    return Record.objects.select_related("content").get()


MULTI_REF = """<?xml version="1.0" encoding="utf-8"?>
<soapenv:Envelope xmlns:soapenv="{envelope}" xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
 <soapenv:Body>
  <ns1:insertRecord soapenv:encodingStyle="{encoding}" xmlns:ns1="Flowize"><input {ref}="{mark}id0"/></ns1:insertRecord>
  <multiRef {id}="id2" soapenc:root="0" xsi:type="ns2:DataRecordObject" xmlns:ns2="Flowize" xmlns:soapenc="{encoding}">
   <Uuid xsi:type="xsd:string">ref-1</Uuid><ExecutionTime xsi:nil="true"/><Data {ref}="{mark}id4"/>
  </multiRef>
  <multiRef {id}="id0" soapenc:root="0" xsi:type="ns3:InsertRecordRequest" xmlns:ns3="Flowize" xmlns:soapenc="{encoding}">
   <FlowDiagramObject {ref}="{mark}id3"/><DataRecordObject {ref}="{mark}id2"/><AuthenticationObject {ref}="{mark}id1"/>
  </multiRef>
  <multiRef {id}="id1" soapenc:root="0" xmlns:soapenc="{encoding}">{keys}</multiRef>
  <multiRef {id}="id3" soapenc:root="0" xmlns:soapenc="{encoding}"><Flow xsi:type="xsd:string">intake</Flow><FlowId xsi:nil="1"/></multiRef>
  <multiRef {id}="id4" xsi:type="xsd:string" soapenc:root="0" xmlns:soapenc="{encoding}">{data}</multiRef>
 </soapenv:Body>
</soapenv:Envelope>"""  # noqa: E501 - as Axis writes it


def multi_ref(tenant: Tenant, text: str = MULTI_REF, version: str = ENV_11) -> str:
    encoding = "http://schemas.xmlsoap.org/soap/encoding/"
    names = {"ref": "href", "mark": "#", "id": "id"}
    if version == ENV_12:
        encoding = "http://www.w3.org/2003/05/soap-encoding"
        text = text.replace("<soapenv:Envelope ", f'<soapenv:Envelope xmlns:enc="{encoding}" ')
        names = {"ref": "enc:ref", "mark": "", "id": "enc:id"}
    inside = elements(auth(tenant)["AuthenticationObject"])
    return text.format(envelope=version, encoding=encoding, keys=inside, data=DATA, **names)


@pytest.mark.parametrize("version", [ENV_11, ENV_12])
def test_references_as_axis_and_dotnet_send_them(acme: Tenant, version: str) -> None:
    answer = post(multi_ref(acme, version=version))
    assert answer.envelope == version
    assert answer.members["Code"] == "201"
    assert (stored().uuid, stored().content.data) == ("ref-1", DOCUMENT)


def test_targets_may_come_before_the_call(acme: Tenant) -> None:
    text = multi_ref(acme)
    start, end = text.index("<ns1:insertRecord"), text.index("</ns1:insertRecord>") + len("</ns1:insertRecord>")
    moved = (text[:start] + text[end:]).replace("</soapenv:Body>", text[start:end] + "</soapenv:Body>")
    assert post(moved).members["Code"] == "201"


def test_a_call_that_has_an_id_itself(acme: Tenant) -> None:
    text = multi_ref(acme).replace("<ns1:insertRecord ", '<ns1:insertRecord id="call" ')
    assert post(text).members["Code"] == "201"


@pytest.mark.parametrize(
    ("wrong", "right", "text"),
    [
        ("#id4", "#id9", "The element Data refers to nothing in this message."),
        ("#id4", "http://127.0.0.1:1/x", "The element Data refers to nothing in this message."),
        ("#id4", "cid:part@x", "The element Data refers to nothing in this message."),
        ("#id4", "", "The element Data refers to nothing in this message."),
        ('id="id4"', 'id="id3"', "Two elements have the same id."),
        ("#id4", "#id2", "References are nested more than 32 deep, or go round in a circle."),
        ('<multiRef id="id4"', '<multiRef id="id4" href="#id4"', "The reference of multiRef goes round in a circle."),
    ],
)
def test_references_that_lead_nowhere(acme: Tenant, wrong: str, right: str, text: str) -> None:
    changed = multi_ref(acme).replace(wrong, right)
    assert post(changed).fault == ("400", text)
    assert not Record.objects.exists()


def test_references_that_double_with_each_step(acme: Tenant) -> None:
    doubled = "".join(f'<m id="b{n}"><a href="#b{n + 1}"/><b href="#b{n + 1}"/></m>' for n in range(25))
    text = multi_ref(acme).replace("<Flow xsi", '<Extra href="#b0"/><Flow xsi')
    text = text.replace("</soapenv:Body>", doubled + '<m id="b25"/></soapenv:Body>')
    expected = "With its references written out the call has more than 2000 elements."
    assert post(text).fault == ("400", expected)
    assert not Record.objects.exists()


# --- Types, nulls and what is left out ----------------------------------------------------------------------------


def test_members_come_in_any_order_and_others_are_passed_over(acme: Tenant) -> None:
    inside = (
        f"<FlowDiagramObject><Extra/><Extra/><Flow>intake</Flow></FlowDiagramObject><More><Uuid>no</Uuid></More>"
        f"<DataRecordObject><Data>{DATA}</Data><Uuid>one</Uuid></DataRecordObject>{keys(acme)}"
    )
    assert post(message("insertRecord", inside)).members["Code"] == "201"
    assert stored().uuid == "one"


def test_members_of_any_namespace(acme: Tenant) -> None:
    inside = f'{keys(acme)}<x:DataRecordObject xmlns:x="urn:x"><x:Data>{DATA}</x:Data></x:DataRecordObject>'
    text = message("insertRecord", inside + "<FlowDiagramObject><Flow>intake</Flow></FlowDiagramObject>")
    assert post(text.replace("<input>", '<input xmlns="Flowize">')).members["Code"] == "201"


@pytest.mark.parametrize(
    "absent",
    [
        "",
        "<Uuid/>",
        "<Uuid></Uuid>",
        "<Uuid> \n </Uuid>",
        '<Uuid xsi:nil="true"/>',
        '<Uuid xsi:nil="1">x</Uuid>',
        "<ExecutionTime/>",
        "<Uuid/><ExecutionTime></ExecutionTime>",
    ],
)
def test_what_is_empty_or_null_is_absent(acme: Tenant, absent: str) -> None:
    assert insert(acme, f"{absent}<Data>{DATA}</Data>").members["Code"] == "201"
    assert len(stored().uuid) == 36


@pytest.mark.parametrize(
    ("uuid", "expected"),
    [
        ("<Uuid xsi:type='xsd:int'>7</Uuid>", "7"),
        ("<Uuid xsi:type='xsd:int'>abc</Uuid>", "abc"),
        ("<Uuid xsi:type='xsd:base64Binary'>w7w=</Uuid>", "ü"),
        ("<Uuid xsi:type='soapenc:base64'>\n w7\n w=\n</Uuid>", "ü"),
        ("<Uuid>\n  a<!-- x -->b<?php x ?>c\n</Uuid>", "abc"),
        ("<Uuid><![CDATA[a<b]]></Uuid>", "a<b"),
        ("<Uuid>a&amp;b&#x21;</Uuid>", "a&b!"),
        ("<Uuid>?</Uuid>", "?"),
    ],
)
def test_texts(acme: Tenant, uuid: str, expected: str) -> None:
    assert insert(acme, f"{uuid}<Data>{DATA}</Data>").members["Code"] == "201"
    assert stored().uuid == expected


@pytest.mark.parametrize(
    "data",
    [
        f"<Data>{DATA}</Data>",
        f"<Data>\n{DATA[:10]}\n{DATA[10:]}\n</Data>",
        f"<Data xsi:type='xsd:string'>{DATA}</Data>",
        f"<Data xsi:type='xsd:base64Binary'>{DATA}</Data>",
        f"<Data xsi:type='xsd:base64Binary'>{base64_of(DATA)}</Data>",
    ],
    ids=["plain", "wrapped", "string", "typed as what it is", "encoded once more"],
)
def test_documents_in_base64(acme: Tenant, data: str) -> None:
    assert insert(acme, data).members["Code"] == "201"
    assert stored().content.data == DOCUMENT


NOT_BASE64 = "DataRecordObject/Uuid is not base64 of text in UTF-8, as its type says."


@pytest.mark.parametrize("wrapped", ["{}", "<![CDATA[{}]]>", "\n{}\n"])
def test_documents_of_megabytes(acme: Tenant, wrapped: str) -> None:
    document = {"text": "x" * 5_000_000}
    assert insert(acme, f"<Data>{wrapped.format(base64_of(document))}</Data>").members["Code"] == "201"
    assert stored().content.data == document


@pytest.mark.parametrize(
    ("record", "text"),
    [
        ("<Uuid>a</Uuid><Uuid>b</Uuid>", "DataRecordObject/Uuid is given more than once."),
        ("<Data><a/></Data>", "DataRecordObject/Data holds elements; it must hold text."),
        ("loose", "DataRecordObject holds text; it must hold elements."),
        ("<Uuid xsi:type='xsd:base64Binary'>***</Uuid>", NOT_BASE64),
        ("<Uuid xsi:type='xsd:base64Binary'>/w==</Uuid>", NOT_BASE64),
    ],
)  # fmt: skip
def test_elements_that_are_not_what_they_should_be(acme: Tenant, record: str, text: str) -> None:
    assert insert(acme, record).fault == ("400", text)
    assert not Record.objects.exists()


# --- Envelopes ------------------------------------------------------------------------------------------------------


MISMATCH = "The Envelope is neither of SOAP 1.1 nor of SOAP 1.2."


@pytest.mark.parametrize(
    ("body", "code", "text"),
    [
        ("<a/>", "Client", "The document is no SOAP message: its root is a, not Envelope."),
        ('<Envelope xmlns="urn:x"><Body/></Envelope>', "VersionMismatch", MISMATCH),
        (f'<Envelope xmlns="{ENV_11}"/>', "Client", "The Envelope has no Body."),
        (f'<Envelope xmlns="{ENV_11}"><Body/></Envelope>', "400", "The Body holds no call."),
        (f'<Envelope xmlns="{ENV_11}"><Body/><Body/></Envelope>', "400", "The Envelope has more than one Body."),
        (
            f'<e:Envelope xmlns:e="{ENV_11}"><e:Body><mym:getSchema/><mym:deleteSchema/></e:Body></e:Envelope>',
            "400",
            "The Body holds more than one call: getSchema and deleteSchema.",
        ),
        (
            f'<e:Envelope xmlns:e="{ENV_11}"><e:Body><getSchema/></e:Body></e:Envelope>',
            "400",
            "The operation getSchema is not in the namespace Flowize.",
        ),
        (
            f'<e:Envelope xmlns:e="{ENV_11}"><e:Body><getSchema xmlns="Other"/></e:Body></e:Envelope>',
            "400",
            "The operation getSchema is not in the namespace Flowize.",
        ),
        (
            f'<e:Envelope xmlns:e="{ENV_11}"><e:Body><mym:dropTables/></e:Body></e:Envelope>',
            "400",
            "There is no operation dropTables.",
        ),
        (
            f'<e:Envelope xmlns:e="{ENV_11}"><e:Body><mym:getSchema><in/></mym:getSchema></e:Body></e:Envelope>',
            "400",
            "getSchema holds no element input.",
        ),
        (
            f'<e:Envelope xmlns:e="{ENV_11}"><e:Body><mym:postRecord><input/></mym:postRecord></e:Body></e:Envelope>',
            "400",
            "Customer is missing.",
        ),
        ("{}", "Client", "Not valid XML: not well-formed (invalid token) at line 1, column 1."),
        (" ", "Client", "Not valid XML: no element found at line 1, column 2."),
    ],
)  # fmt: skip
def test_envelopes_that_hold_no_call(db: None, body: str, code: str, text: str) -> None:
    answer = post(body)
    assert answer.status == 500
    assert answer.child.findtext("faultcode") == (code if code == "400" else f"SOAP-ENV:{code}")
    assert answer.fault == ("400", text)


def test_a_call_without_input_has_no_credentials(acme: Tenant) -> None:
    text = message("getSchema", "").replace("<input></input>", "")
    assert post(text).fault == ("404", "The credentials are not correct.")


@pytest.mark.parametrize("version", [ENV_11, ENV_12])
@pytest.mark.parametrize("required", ["1", "true"])
def test_a_header_block_that_must_be_understood(acme: Tenant, version: str, required: str) -> None:
    block = f'<x:Security xmlns:x="urn:x" e:mustUnderstand="{required}"/>'
    text = message("getFlowDiagram", auth(acme) | {"FlowDiagramObject": {"Flow": "intake"}}, block, version)
    answer = post(text)
    assert answer.fault == ("400", "The header block Security is not understood.")
    assert answer.status == 500
    word = answer.child.findtext("faultcode") or answer.child.findtext(f"{{{version}}}Code/{{{version}}}Value") or ""
    assert word.partition(":")[2] == "MustUnderstand"


@pytest.mark.parametrize(
    "block",
    [
        '<x:Security xmlns:x="urn:x"/>',
        '<x:Security xmlns:x="urn:x" e:mustUnderstand="0"/>',
        '<x:Security xmlns:x="urn:x" e:mustUnderstand="1" e:actor="urn:somebody"/>',
    ],
)
def test_header_blocks_that_may_be_passed_over(acme: Tenant, block: str) -> None:
    given = auth(acme) | {"FlowDiagramObject": {"Flow": "intake"}}
    assert json.loads(post(message("getFlowDiagram", given, block)).resource)["flow_name"] == "intake"


# --- Versions and actions -------------------------------------------------------------------------------------------


def test_soap_12_is_answered_in_kind(acme: Tenant) -> None:
    answer = post(message("getSchema", auth(acme), namespace=ENV_12), "application/soap+xml; charset=utf-8")
    assert answer.response["Content-Type"] == "application/soap+xml; charset=utf-8"
    assert (answer.status, answer.envelope) == (400, ENV_12)
    assert answer.fault == ("404", "There is no data schema.")
    assert answer.child.findtext(f"{{{ENV_12}}}Code/{{{ENV_12}}}Value") == "env:Sender"
    assert len(answer.child.findtext(f"{{{ENV_12}}}Role") or "") == 88
    given = auth(acme) | {"DataRecordObject": {"Data": DATA}, "FlowDiagramObject": {"Flow": "intake"}}
    answer = post(message("insertRecord", given, namespace=ENV_12), "application/soap+xml")
    assert (answer.status, answer.members["Code"]) == (200, "201")


@pytest.mark.parametrize(
    "content_type", ["text/xml", "application/xml", "application/soap+xml", "TEXT/XML;charset=utf-8"]
)
def test_content_types(acme: Tenant, content_type: str) -> None:
    given = auth(acme) | {"FlowDiagramObject": {"Flow": "intake"}}
    answer = post(message("getFlowDiagram", given), content_type)
    assert answer.members["Code"] == "200"
    assert answer.response["Content-Type"] == "text/xml; charset=utf-8"


@pytest.mark.parametrize(
    "action", ["", '""', '"Flowize#getSchema"', "Flowize#getSchema", "urn:getSchema", '"what"', "'getSchema'"]
)
def test_actions_that_do_not_contradict(acme: Tenant, action: str) -> None:
    assert call("getSchema", auth(acme), headers={"SOAPAction": action}).fault[1] == "There is no data schema."


@pytest.mark.parametrize("action", ['"Flowize#deleteSchema"', "deleteSchema", "urn:webhook", '"postRecord"'])
def test_an_action_that_names_another_operation(acme: Tenant, action: str) -> None:
    code, text = call("getSchema", auth(acme), headers={"SOAPAction": action}).fault
    assert code == "400"
    assert text.startswith("The SOAPAction names ")
    code, text = post(
        message("getSchema", auth(acme), namespace=ENV_12), f'application/soap+xml; action="{action.strip(chr(34))}"'
    ).fault
    assert text.startswith("The SOAPAction names ")


# --- Encodings ------------------------------------------------------------------------------------------------------

TEXT = "<?xml version='1.0' encoding='{}'?>"


@pytest.mark.parametrize(
    ("declared", "codec", "charset"),
    [
        ("", "utf-8", None),
        ("", "utf-8-sig", None),
        ("utf-8", "utf-8", "utf-8"),
        ("iso-8859-1", "latin-1", None),
        ("", "latin-1", "iso-8859-1"),
        ("utf-8", "latin-1", "ISO-8859-1"),
        ("utf-16", "utf-8", '"utf-8"'),
        ("utf-16", "utf-16", None),
        ("utf-16", "utf-16", "utf-8"),
        ("utf-16", "utf-16-le", None),
        ("utf-16", "utf-16-be", "utf-16"),
        ("bogus", "utf-8-sig", None),
    ],
)
def test_encodings(acme: Tenant, declared: str, codec: str, charset: str | None) -> None:
    given = auth(acme) | {"DataRecordObject": {"Uuid": "é", "Data": DATA}, "FlowDiagramObject": {"Flow": "intake"}}
    text = (TEXT.format(declared) if declared else "") + message("insertRecord", given)
    answer = post(text.encode(codec), "text/xml" + (f"; charset={charset}" if charset else ""))
    assert answer.members["Code"] == "201"
    assert stored().uuid == "é"


DECLARED = "The document declares an encoding that is not read: use utf-8, us-ascii or iso-8859-1."


@pytest.mark.parametrize(
    ("body", "charset", "status", "text"),
    [
        (b"<a/>", "bogus", 415, "Supported charsets: utf-8, us-ascii, iso-8859-1, utf-16."),
        (b"+ADw-a/+AD4-", "utf-7", 415, "Supported charsets: utf-8, us-ascii, iso-8859-1, utf-16."),
        (TEXT.format("utf-7").encode() + b"<a/>", None, 500, DECLARED),
        (TEXT.format("utf-16").encode() + b"<a/>", None, 500, DECLARED),
        (b"<a>\xe9</a>", None, 500, "The document is not utf-8: byte 4 cannot be read."),
        (b"<a>\xe9</a>", "us-ascii", 500, "The document is not ascii: byte 4 cannot be read."),
        ("<a/>".encode("cp037"), None, 500, "The document is not utf-8: byte 2 cannot be read."),
        (b"<a>\x00</a>", None, 500, "The document holds a NUL character."),
        ("<a>".encode("utf-32"), None, 500, "The document holds a NUL character."),
    ],
)  # fmt: skip
def test_encodings_that_are_refused(db: None, body: bytes, charset: str | None, status: int, text: str) -> None:
    answer = post(body, "text/xml" + (f"; charset={charset}" if charset else ""))
    assert (answer.status, answer.fault) == (status, (str(415 if status == 415 else 400), text))
