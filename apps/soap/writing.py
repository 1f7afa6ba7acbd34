"""Writing answers: the same bytes for rpc/encoded and rpc/literal callers."""

import re
from collections.abc import Iterable

from apps.soap.namespaces import SERVICE, XSD, XSI, Version

DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
# XML 1.0 has no spelling for these.
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")

_ENVELOPE_11 = (
    '<SOAP-ENV:Envelope SOAP-ENV:encodingStyle="{encoding}" xmlns:SOAP-ENV="{envelope}" xmlns:xsd="{xsd}" '
    'xmlns:xsi="{xsi}" xmlns:ns1="{service}" xmlns:SOAP-ENC="{encoding}"><SOAP-ENV:Body><ns1:{wrapper} '
    'xsi:type="ns1:{wrapper}"><{accessor} xsi:type="ns1:{type}">{members}</{accessor}></ns1:{wrapper}></SOAP-ENV:Body>'
    "</SOAP-ENV:Envelope>"
)
# Here the style of the encoding may not stand on the Envelope.
_ENVELOPE_12 = (
    '<env:Envelope xmlns:env="{envelope}" xmlns:xsd="{xsd}" xmlns:xsi="{xsi}" xmlns:ns1="{service}" '
    'xmlns:enc="{encoding}"><env:Body><ns1:{wrapper} env:encodingStyle="{encoding}" xsi:type="ns1:{wrapper}">'
    '<{accessor} xsi:type="ns1:{type}">{members}</{accessor}></ns1:{wrapper}></env:Body></env:Envelope>'
)


def write_answer(
    version: Version, operation: str, members: Iterable[tuple[str, str]], accessor: str = "", kind: str = "Response"
) -> bytes:
    """The message that answers an operation: members with their texts, in a wrapper named after the operation."""
    texts = "".join(f'<{name} xsi:type="xsd:string">{escaped(text)}</{name}>' for name, text in members)
    filled = (_ENVELOPE_12 if version.is_12 else _ENVELOPE_11).format(
        envelope=version.envelope,
        encoding=version.encoding,
        xsd=XSD,
        xsi=XSI,
        service=SERVICE,
        wrapper=f"{operation}Response",
        accessor=accessor or f"{operation}Result",
        type=kind,
        members=texts,
    )
    return (DECLARATION + filled).encode()


def escaped(text: str) -> str:
    """A text as XML; what XML cannot hold becomes U+FFFD."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
    return _UNWRITABLE.sub("\ufffd", text).replace("\r", "&#13;")
