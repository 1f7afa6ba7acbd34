"""Documents that are meant to cost much, to reach out, or to be taken for another; also measured by ``bench/``."""

from collections.abc import Callable

from tests.soap.messages import ENV_11, message

UTF_8 = "text/xml; charset=utf-8"
CALL = "<e:Body><mym:getSchema><input/></mym:getSchema></e:Body>"
ENVELOPE = f'<e:Envelope xmlns:e="{ENV_11}">'
BOMB = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
DOCTYPE = "A document type declaration is not accepted"


def enveloped(inside: str) -> bytes:
    """A call with something hostile beside its ``input``."""
    return f"{ENVELOPE}<e:Body><mym:getSchema>{inside}</mym:getSchema></e:Body></e:Envelope>".encode()


def attacked(declaration: str, inside: str = "") -> bytes:
    """A message behind a document type."""
    return f"<!DOCTYPE e {declaration}>{ENVELOPE}{inside}{CALL}</e:Envelope>".encode()


def references(count: int) -> bytes:
    """References that double with each step: written out, 2 to the power of ``count`` elements."""
    steps = "".join(f'<m id="b{n}"><a href="#b{n + 1}"/><b href="#b{n + 1}"/></m>' for n in range(count))
    body = f'<mym:getSchema><input href="#b0"/></mym:getSchema>{steps}<m id="b{count}"/>'
    return f"{ENVELOPE}<e:Body>{body}</e:Body></e:Envelope>".encode()


def circle(inside: str) -> bytes:
    """References that lead back to where they began."""
    body = f'<mym:getSchema><input href="#a"/></mym:getSchema>{inside}'
    return f"{ENVELOPE}<e:Body>{body}</e:Body></e:Envelope>".encode()


# name → the body (made when it is asked for), its content type, the HTTP status, the code of the Fault, its text
HOSTILE: dict[str, tuple[Callable[[], bytes], str, int, str, str]] = {
    "external entity, a file": (
        lambda: attacked('[<!ENTITY x SYSTEM "file:///etc/hostname">]', "<a>&x;</a>"), UTF_8, 500, "400", DOCTYPE),
    "external entity, an address": (
        lambda: attacked('[<!ENTITY x SYSTEM "http://127.0.0.1:1/x">]', "<a>&x;</a>"), UTF_8, 500, "400", DOCTYPE),
    "external DTD": (lambda: attacked('SYSTEM "http://127.0.0.1:1/x.dtd"'), UTF_8, 500, "400", DOCTYPE),
    "parameter entity": (
        lambda: attacked('[<!ENTITY % x SYSTEM "http://127.0.0.1:1/">%x;]'), UTF_8, 500, "400", DOCTYPE),
    "billion laughs, text": (
        lambda: attacked(f'[<!ENTITY l0 "ha">{BOMB}]', "<a>&l9;</a>"), UTF_8, 500, "400", DOCTYPE),
    "billion laughs, attribute": (
        lambda: attacked(f'[<!ENTITY l0 "ha">{BOMB}]', '<a b="&l9;"/>'), UTF_8, 500, "400", DOCTYPE),
    "quadratic blow-up": (
        lambda: attacked(f'[<!ENTITY x "{"x" * 50_000}">]', f"<a>{'&x;' * 50_000}</a>"), UTF_8, 500, "400", DOCTYPE),
    "harmless document type": (lambda: attacked(""), UTF_8, 500, "400", DOCTYPE),
    "undefined entity": (
        lambda: enveloped("<a>&nbsp;</a>"), UTF_8, 500, "400", "Not valid XML: undefined entity"),
    "100,000 elements inside one another": (
        lambda: enveloped("<a>" * 100_000 + "</a>" * 100_000),
        UTF_8, 500, "400", "The document is nested more than 32"),
    "a million tags that stay open": (
        lambda: b"<a>" * 1_000_000, UTF_8, 500, "400", "The document is nested more than 32"),
    "a million siblings": (
        lambda: enveloped("<a/>" * 1_000_000), UTF_8, 500, "400", "The document has more than 2000 elements"),
    "100,000 attributes": (
        lambda: enveloped("<a " + " ".join(f"a{n}='x'" for n in range(100_000)) + "/>"),
        UTF_8, 500, "400", "An element has more than 64 attributes"),
    "a million attributes": (
        lambda: enveloped("<a " + " ".join(f"a{n}=''" for n in range(900_000)) + "/>"),
        UTF_8, 500, "400", "An element has more than 64 attributes"),
    "very many namespaces": (
        lambda: enveloped("<a " + " ".join(f"xmlns:a{n}='x'" for n in range(100_000)) + "/>"),
        UTF_8, 500, "400", "An element has more than 64 attributes"),
    "a name of a megabyte": (
        lambda: enveloped("<" + "a" * 1_000_000 + "/>"), UTF_8, 500, "400", "A tag or comment is longer than 262144"),
    "a name of 300 characters": (
        lambda: enveloped("<" + "a" * 300 + "/>"), UTF_8, 500, "400", "A name has more than 256 characters"),
    "a comment of five megabytes": (
        lambda: b"<!--" + b"-x" * 2_500_000, UTF_8, 500, "400", "A tag or comment is longer than 262144 bytes"),
    "an attribute that does not end": (
        lambda: b"<a b='" + b"&lt;" * 1_000_000, UTF_8, 500, "400", "A tag or comment is longer than 262144 bytes"),
    "XInclude": (
        lambda: enveloped('<x:include xmlns:x="http://www.w3.org/2001/XInclude" href="file:///etc/hostname"/>'),
        UTF_8, 500, "400", "XInclude is not supported"),
    "references in a circle": (
        lambda: circle('<m id="a" href="#a"/>'), UTF_8, 500, "400", "The reference of m goes round in a circle."),
    "references in a wide circle": (
        lambda: circle('<m id="a" href="#b"/><m id="b" href="#a"/>'),
        UTF_8, 500, "400", "The reference of m goes round in a circle."),
    "structures in a circle": (
        lambda: circle('<m id="a"><x href="#a"/></m>'), UTF_8, 500, "400", "References are nested more than 32 deep"),
    "references that double 20 times": (
        lambda: references(20), UTF_8, 500, "400", "With its references written out the call has more than 2000"),
    "references that double 40 times": (
        lambda: references(40), UTF_8, 500, "400", "References are nested more than 32 deep"),
    "a reference to nothing": (
        lambda: circle(""), UTF_8, 500, "400", "The element input refers to nothing in this message."),
    "a reference to an address": (
        lambda: circle("").replace(b"#a", b"http://127.0.0.1:1/"),
        UTF_8, 500, "400", "The element input refers to nothing in this message."),
    "says utf-16 and is utf-8": (
        lambda: b'<?xml version="1.0" encoding="utf-16"?>' + enveloped("<input/>"),
        "text/xml", 500, "400", "The document declares an encoding that is not read"),
    "a charset nobody knows": (lambda: enveloped(""), "text/xml; charset=bogus", 415, "415", "Supported charsets"),
    "utf-7 by its content type": (lambda: b"+ADw-a/+AD4-", "text/xml; charset=utf-7", 415, "415", "Supported charsets"),
    "utf-7 by its declaration": (
        lambda: b'<?xml version="1.0" encoding="utf-7"?>+ADw-a/+AD4-',
        "text/xml", 500, "400", "The document declares an encoding that is not read"),
    "EBCDIC": (lambda: "<a/>".encode("cp037"), "text/xml", 500, "400", "The document is not utf-8"),
    "bytes that are none of its charset": (
        lambda: enveloped("<a>").replace(b"<a>", b"<a>\xff"), UTF_8, 500, "400", "The document is not utf-8"),
    "NUL": (lambda: enveloped("<a>\0</a>"), UTF_8, 500, "400", "The document holds a NUL character."),
    "JSON": (lambda: b'{"a":1}', "application/json", 415, "415", "Send the message as"),
    "nothing": (lambda: b"", UTF_8, 500, "400", "Not valid XML: no element found"),
    "no Envelope": (lambda: b"<a/>", UTF_8, 500, "400", "The document is no SOAP message"),
    "another version": (
        lambda: b'<e:Envelope xmlns:e="urn:x"><e:Body/></e:Envelope>',
        UTF_8, 500, "400", "The Envelope is neither of SOAP 1.1 nor of SOAP 1.2."),
    "50 MB": (lambda: b"x" * 50_000_000, UTF_8, 413, "413", "The request body is larger than"),
    "many ids": (
        lambda: message("getSchema", "".join(f'<a id="i{n}"/>' for n in range(1_900))).encode(),
        UTF_8, 500, "404", "The credentials are not correct."),
}  # fmt: skip
