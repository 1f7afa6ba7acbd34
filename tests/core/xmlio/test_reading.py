"""XML documents from outside: what they mean, and what is refused."""

import time
import tracemalloc
from typing import Any

import pytest

from apps.core.errors import BadRequest
from apps.core.jsonio import Limits
from apps.core.xmlio import read_xml


def refusal(body: bytes | str, **options: Any) -> str:
    with pytest.raises(BadRequest) as caught:
        read_xml(body, **options)
    assert len(caught.value.message) < 500
    return caught.value.message


@pytest.mark.parametrize(
    ("body", "value"),
    [
        ("<r/>", ""),
        ("<r>x</r>", "x"),
        ("<r> x\n</r>", " x\n"),
        ("<r><a>1</a></r>", {"a": "1"}),
        ("<r>\n  <a>1</a>\n  <b/>\n</r>", {"a": "1", "b": ""}),
        ("<r><a>1</a><b/><a>2</a><a>3</a></r>", {"a": ["1", "2", "3"], "b": ""}),
        ('<r><a id="7"/></r>', {"a": {"@id": "7"}}),
        ('<r><a id="7"> x </a></r>', {"a": {"@id": "7", "#text": "x"}}),
        ('<r id="7"><a/></r>', {"@id": "7", "a": ""}),
        ("<client><name>a</name>t<name>b</name></client>", {"name": ["a", "b"], "#text": "t"}),
        ("<client><age>1<!-- -->2</age></client>", {"age": "12"}),
        ("<r><?php echo 1 ?><a>x<?y?>z</a></r>", {"a": "xz"}),
        ("<r><![CDATA[<a>&amp;]]></r>", "<a>&amp;"),
        ("<r>&lt;&gt;&amp;&apos;&quot;&#233;&#x1F600;</r>", "<>&'\"é😀"),
        ("<r>a\r\nb\rc&#13;</r>", "a\nb\nc\r"),
        ('<?xml version="1.0" encoding="UTF-8" standalone="yes"?><r>é</r>', "é"),
        ('<?xml version="1.0" encoding="utf-8"?>\n<!-- x -->\n<r/>\n<!-- y -->', ""),
        ("\ufeff<r>x</r>", "x"),
        ("<größe>5</größe>", "5"),
        ("<r><item>a</item><item>b</item></r>", {"item": ["a", "b"]}),
        ("<r><entry>a</entry></r>", {"entry": "a"}),
    ],
)
def test_documents_without_marks(body: str, value: Any) -> None:
    assert read_xml(body.encode()) == value


@pytest.mark.parametrize(
    ("body", "value"),
    [
        ('<r type="integer"> 5 </r>', 5),
        ('<r type="number">5.5</r>', 5.5),
        ('<r type="number">5</r>', 5),
        ('<r type="boolean">true</r>', True),
        ('<r type="boolean">0</r>', False),
        ('<r type="null"/>', None),
        ('<r type="string">5</r>', "5"),
        ('<r type="object"/>', {}),
        ('<r type="object">x</r>', {"#text": "x"}),
        ('<r type="array"/>', []),
        ('<r type="array">\n <item>a</item>\n <b>c</b></r>', ["a", "c"]),
        ('<r type="array"><item type="array"/><item type="object"/></r>', [[], {}]),
        (r'<r type="escaped">a\u0001\\b</r>', "a\x01\\b"),
        ('<r><entry name="a b">x</entry></r>', {"a b": "x"}),
        ('<r><entry name="">x</entry></r>', {"": "x"}),
        (r'<r><entry escaped="\u0001">x</entry></r>', {"\x01": "x"}),
        ('<r><entry name="a" type="integer">1</entry><a type="integer">2</a></r>', {"a": [1, 2]}),
        ('<r><entry name="a" id="7">x</entry></r>', {"a": {"@id": "7", "#text": "x"}}),
        ('<r><phone type="mobile">06</phone></r>', {"phone": {"@type": "mobile", "#text": "06"}}),
    ],
)
def test_marks(body: str, value: Any) -> None:
    found = read_xml(body.encode())
    assert found == value
    assert type(found) is type(value)


XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'


@pytest.mark.parametrize(
    ("body", "value"),
    [
        ('<n:r xmlns:n="urn:x"><n:a n:id="1">x</n:a></n:r>', {"a": {"@id": "1", "#text": "x"}}),
        ('<r xmlns="urn:x"><a>x</a></r>', {"a": "x"}),
        ('<r xmlns:n="urn:x"><a>x</a><n:a>y</n:a></r>', {"a": ["x", "y"]}),
        ('<r><a xmlns:n="urn:x"><n:b/></a><a xmlns:n="urn:y"/></r>', {"a": [{"b": ""}, ""]}),
        ('<r xml:lang="nl"/>', {"@lang": "nl"}),
        (f'<r {XSI} xsi:schemaLocation="u x.xsd"><a xsi:nil="true"/><b xsi:type="y">z</b></r>', {"a": None, "b": "z"}),
        ('<r xmlns:n="urn:x"><a n:type="integer">5</a></r>', {"a": {"@type": "integer", "#text": "5"}}),
    ],
)  # fmt: skip
def test_prefixes_are_dropped(body: str, value: Any) -> None:
    assert read_xml(body.encode()) == value


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("<a><b></a>", "Not valid XML: mismatched tag at line 1, column 9."),
        ("<a>\n  <b", "Not valid XML: unclosed token at line 2, column 3."),
        ("", "Not valid XML: no element found at line 1, column 1."),
        ("{}", "Not valid XML: not well-formed (invalid token) at line 1, column 1."),
        ("<a/><b/>", "Not valid XML: junk after document element at line 1, column 5."),
        ("<r>&#1;</r>", "Not valid XML: reference to invalid character number at line 1, column 4."),
        ("<r>&nbsp;</r>", "Not valid XML: undefined entity at line 1, column 4."),
        ("<r a='1' a='2'/>", "Not valid XML: duplicate attribute at line 1, column 10."),
        ("<!DOCTYPE r><r/>", "A document type declaration is not accepted at line 1, column 12."),
        ("<r><n:a/></r>", "The prefix n is not declared at line 1, column 4."),
        ("<r n:a='1'/>", "The prefix n is not declared at line 1, column 1."),
        ("<a:b:c/>", "A name has a colon in a wrong place at line 1, column 1."),
        (
            "<r xmlns:n='urn:x' xmlns:m='urn:x' n:a='1' m:a='2'/>",
            "The attribute a is given twice at line 1, column 1.",
        ),
        ("<r xmlns:n='urn:x' n:a='1' a='2'/>", "The attribute a is given twice at line 1, column 1."),
        (
            '<?xml version="1.0" encoding="utf-7"?><r>+AGE-</r>',
            "The only encoding that is read is UTF-8; the document declares another at line 1, column 1.",
        ),
        (
            '<r xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="file:///etc/passwd"/></r>',
            "XInclude is not supported at line 1, column 47.",
        ),
        ('<r type="integer">x</r>', "The number cannot be read at line 1, column 20."),
        ('<r type="integer">1.5</r>', "An element of type integer holds something else at line 1, column 22."),
        ('<r type="number">"x"</r>', "An element of type number holds something else at line 1, column 21."),
        ('<r type="number">NaN</r>', "NaN is no JSON number at line 1, column 21."),
        ('<r type="boolean">yes</r>', "An element of type boolean holds neither true nor false at line 1, column 22."),
        ('<r type="null">x</r>', "An element of type null holds text at line 1, column 17."),
        ('<r type="array">x</r>', "An element of type array holds text at line 1, column 18."),
        ('<r type="array" id="1"/>', "An element of type array holds what cannot be in it at line 1, column 25."),
        ('<r type="integer"><a/></r>', "An element of type integer holds what cannot be in it at line 1, column 23."),
        (r'<r type="escaped">\x</r>', "A backslash begins no escape at line 1, column 21."),
        (r'<r><entry escaped="\"/></r>', "A backslash begins no escape at line 1, column 4."),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(body: str, message: str) -> None:
    assert refusal(body.encode()) == message


@pytest.mark.parametrize(
    "body",
    [
        b"\xff\xfe<\x00r\x00/\x00>\x00",
        b"<r>\xe9</r>",
        "<r/>".encode("utf-16"),
        '<?xml version="1.0" encoding="utf-16"?><r/>'.encode("utf-16"),
        b"<r>\x00</r>",
        b"<r>\xed\xa0\x80</r>",
        "<r>\uffff</r>".encode(),
        b"\x4c\x6f\xa7\x94",
    ],
)
def test_bytes_that_are_no_utf_8(body: bytes) -> None:
    assert refusal(body).startswith(("The document is not UTF-8", "The document holds a NUL", "Not valid XML"))


@pytest.mark.parametrize(
    "body",
    [
        b'<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/hostname">]><r>&x;</r>',
        b'<!DOCTYPE r SYSTEM "http://127.0.0.1:1/x.dtd"><r/>',
        b'<!DOCTYPE r [<!ENTITY % x SYSTEM "http://127.0.0.1:1/">%x;]><r/>',
        b'<!DOCTYPE r [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;">]><r>&b;</r>',
        b'<?xml version="1.0"?><!DOCTYPE r [<!ATTLIST r a CDATA "x">]><r/>',
    ],
)
def test_document_types_are_refused_at_sight(body: bytes) -> None:
    assert refusal(body).startswith("A document type declaration is not accepted")


def test_values_pass_the_checks_of_json() -> None:
    assert refusal(rb'<r><a type="escaped">\u0000</a></r>') == "/a: The string holds a NUL character."
    assert refusal(rb'<r type="escaped">\ud800</r>') == "The string holds half of a surrogate pair."
    assert "A key has 600 characters" in refusal(f'<r><entry name="{"k" * 600}">x</entry></r>')
    assert refusal(f"<r><{'k' * 600}/></r>").startswith("A name has more than 512 characters")
    assert refusal('<r type="integer">9223372036854775808</r>').startswith("The whole number does not fit 64 bits")


def test_depth_is_that_of_json() -> None:
    def nested(depth: int) -> str:
        return "<a>" * depth + "x" + "</a>" * depth

    assert read_xml(nested(101)) is not None
    assert refusal(nested(102)).startswith("The document is nested more than 101 elements deep at line 1")
    assert refusal(nested(5), limits=Limits(depth=3)).startswith("The document is nested more than 4 elements deep")
    lists = "<a><b/>" * 60 + "</a>" * 60
    assert refusal("<r>" + lists.replace("<b/>", "<a/>") + "</r>").endswith("nested more than 100 levels deep.")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"<a>" * 5000 + b"</a>" * 5000, "The document is nested more than 101 elements deep"),
        (b"<a>" * 1_000_000, "The document is nested more than 101 elements deep"),
        (b"<a " + b" ".join(b'a%d="1"' % i for i in range(100_000)) + b"/>", "An element has more than 256 attributes"),
        (b"<r>" + b"<a/>" * 1_000_000 + b"</r>", "The document has more than 300000 elements"),
        (b"<" + b"a" * 5_000_000 + b"/>", "A name has more than 512 characters"),
        (b"<r " + b"a" * 5_000_000 + b"='1'/>", "A name has more than 512 characters"),
        (b"<!--" + b"-x" * 2_500_000 + b"--><r>", "Not valid XML"),
        (b"<r>" + b"&lt;" * 2_000_000, "Not valid XML"),
        (b"<r a='" + b"&lt;" * 2_000_000, "Not valid XML"),
        (b"<r>" + b"<![CDATA[x]]>" * 700_000, "Not valid XML"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_hostile_documents_are_refused_soon(body: bytes, message: str) -> None:
    started = time.process_time()
    assert refusal(body).startswith(message)
    assert time.process_time() - started < 3


def test_long_texts_take_time_by_their_length() -> None:
    def seconds(count: int) -> float:
        body = b"<r>" + b"<a>x&amp;y\nz</a>" * count + b"</r>"
        started = time.process_time()
        read_xml(body)
        return time.process_time() - started

    seconds(1000)
    assert seconds(200_000) < 60 * max(seconds(20_000), 0.005)


def test_text_that_was_decoded_already_may_declare_anything() -> None:
    assert read_xml('<?xml version="1.0" encoding="iso-8859-1"?><r>é</r>') == "é"


ATTRIBUTES = " ".join(f"a{number}='x'" for number in range(100_000))


def test_a_tag_of_very_many_attributes_is_not_taken_in_whole() -> None:
    tracemalloc.start()
    body = f"<r>\n<a {ATTRIBUTES}/></r>".encode()
    try:
        assert refusal(body) == "An element has more than 256 attributes at line 2, column 1."
        assert tracemalloc.get_traced_memory()[1] < 2_000_000 + len(body)
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (f"<r><![CDATA[<a {ATTRIBUTES}/>]]></r>", f"<a {ATTRIBUTES}/>"),
        (f"<r><!-- <a {ATTRIBUTES}/> -->x</r>", "x"),
        (f'<r a="{ATTRIBUTES}"/>', {"@a": ATTRIBUTES}),
        (f"<r>{ATTRIBUTES}</r>", ATTRIBUTES),
        (f"<r><a x='>' y='1'>{'é' * 200_000}</a></r>", {"a": {"@x": ">", "@y": "1", "#text": "é" * 200_000}}),
    ],
    ids=["section", "comment", "value", "text", "letters"],
)
def test_what_only_looks_like_very_many_attributes(body: str, value: Any) -> None:
    assert read_xml(body.encode()) == value


def test_prefixes_hold_until_their_element_ends() -> None:
    body = '<n:r xmlns:n="urn:x"><a xmlns:n="urn:y" xmlns:m="urn:z"><m:b/></a><n:c/></n:r>'
    assert read_xml(body) == {"a": {"b": ""}, "c": ""}
    assert refusal('<r><a xmlns:m="urn:z"/><m:b/></r>').startswith("The prefix m is not declared")
