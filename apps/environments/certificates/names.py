"""Distinguished names as OpenSSL shows, hashes and compares them."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from apps.environments.certificates.der import SEQUENCE, SET, UTF8_STRING, Element, dotted, encode

_SHORT_NAMES = {
    "0.9.2342.19200300.100.1.1": "UID",
    "0.9.2342.19200300.100.1.3": "mail",
    "0.9.2342.19200300.100.1.25": "DC",
    "1.2.840.113549.1.9.1": "emailAddress",
    "1.2.840.113549.1.9.2": "unstructuredName",
    "1.2.840.113549.1.9.8": "unstructuredAddress",
    "1.3.6.1.4.1.311.60.2.1.1": "jurisdictionL",
    "1.3.6.1.4.1.311.60.2.1.2": "jurisdictionST",
    "1.3.6.1.4.1.311.60.2.1.3": "jurisdictionC",
    "2.5.4.3": "CN",
    "2.5.4.4": "SN",
    "2.5.4.5": "serialNumber",
    "2.5.4.6": "C",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.9": "street",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "2.5.4.12": "title",
    "2.5.4.13": "description",
    "2.5.4.15": "businessCategory",
    "2.5.4.16": "postalAddress",
    "2.5.4.17": "postalCode",
    "2.5.4.18": "postOfficeBox",
    "2.5.4.20": "telephoneNumber",
    "2.5.4.41": "name",
    "2.5.4.42": "GN",
    "2.5.4.43": "initials",
    "2.5.4.44": "generationQualifier",
    "2.5.4.45": "x500UniqueIdentifier",
    "2.5.4.46": "dnQualifier",
    "2.5.4.51": "houseIdentifier",
    "2.5.4.65": "pseudonym",
    "2.5.4.72": "role",
    "2.5.4.97": "organizationIdentifier",
}
"""The attributes that certificate authorities put into names; others are shown by their numbers."""

_CODECS = {12: "utf-8", 18: "latin-1", 19: "latin-1", 20: "latin-1", 22: "latin-1", 26: "latin-1", 28: "utf-32-be"}
_CODECS |= {30: "utf-16-be"}
_GENERAL_STRING = 27
# Digits (18) are compared as they are written.
_FOLDED_TAGS = _CODECS.keys() - {18}
_LOWER = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ", b"abcdefghijklmnopqrstuvwxyz")
_SPACES = b" \t\n\v\f\r"


@dataclass(frozen=True, slots=True)
class Attribute:
    """One ``type=value`` of a name; those with the same ``rdn`` stand together."""

    rdn: int
    oid: str
    oid_encoding: bytes
    value: Element

    @property
    def text(self) -> str | None:
        """The value; nothing when it is no text."""
        codec = _CODECS.get(self.value.tag)
        try:
            return self.value.content.decode(codec) if codec else None
        except UnicodeDecodeError:
            return None


def attributes(name: Element) -> list[Attribute]:
    """What a name consists of, in its order; raises ValueError when it is none."""
    return [
        Attribute(index, dotted(oid.content), oid.encoding, value)
        for index, rdn in enumerate(name.children())
        for oid, value in (pair.children() for pair in rdn.children())
    ]


def one_line(name: Element) -> str:
    """``/C=NL/O=Acme``: ``+`` joins what stands together, other bytes than ASCII become ``\\xHH``."""
    text, before = "", -1
    for attribute in attributes(name):
        text += "+" if attribute.rdn == before else "/"
        text += f"{_SHORT_NAMES.get(attribute.oid, attribute.oid)}={_escaped(attribute.value)}"
        before = attribute.rdn
    return text


def texts(name: Element, oid: str) -> str | list[str] | None:
    """The value of an attribute: a text, several as a list, nothing when the name lacks it."""
    found = [text for each in attributes(name) if each.oid == oid and (text := each.text) is not None]
    return found if len(found) > 1 else next(iter(found), None)


def canonical(name: Element) -> bytes:
    """The same bytes for names that differ only in ASCII case, spaces and kind of string."""
    sets: dict[int, list[bytes]] = {}
    for attribute in attributes(name):
        pair = encode(SEQUENCE, attribute.oid_encoding + _folded(attribute))
        sets.setdefault(attribute.rdn, []).append(pair)
    return b"".join(encode(SET, b"".join(sorted(pairs))) for pairs in sets.values())


def name_hash(name: Element) -> str:
    """Eight hexadecimal digits, by which OpenSSL finds certificates in a folder."""
    digest = hashlib.sha1(canonical(name), usedforsecurity=False).digest()
    return digest[3::-1].hex()


def _folded(attribute: Attribute) -> bytes:
    text = attribute.text
    if attribute.value.tag not in _FOLDED_TAGS or text is None:
        return attribute.value.encoding
    folded = re.sub(rb"[ \t\n\v\f\r]+", b" ", text.encode().strip(_SPACES))
    return encode(UTF8_STRING, folded.translate(_LOWER))


def _escaped(value: Element) -> str:
    return "".join(
        f"\\{byte:c}" if byte in b"/+" else f"{byte:c}" if 0x20 <= byte <= 0x7E else f"\\x{byte:02X}"
        for byte in _shown_bytes(value)
    )


def _shown_bytes(value: Element) -> Iterator[int]:
    content = value.content
    wide = value.tag == _GENERAL_STRING and len(content) % 4 == 0
    if wide and not any(any(content[place::4]) for place in range(3)):
        yield from content[3::4]
    else:
        yield from content
