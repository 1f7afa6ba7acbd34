"""PEM files as people upload them: what stands in them, or why they cannot be read."""

import re
from dataclasses import dataclass
from typing import NoReturn

from apps.core.errors import BadRequest, Detail

MOST_BYTES = 64 * 1024
"""The largest file; the certificates of a site with their keys are a tenth of it."""

# Marks are looked for one by one: an expression for whole blocks would read the file again for each one without end.
_MARK = re.compile(rb"-----(BEGIN|END) ([A-Z0-9 ]{1,40})-----")
_CERTIFICATE_LABELS = {"CERTIFICATE", "X509 CERTIFICATE"}
_KEY_LABELS = {"PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"}
_IGNORED_LABELS = {"EC PARAMETERS", "DH PARAMETERS"}
_REASONS = {
    "ENCRYPTED PRIVATE KEY": "The private key is encrypted: decrypt it first, with openssl pkey.",
    "DSA PRIVATE KEY": "DSA keys are not accepted: use RSA with 2048 bits or more, or P-256.",
    "OPENSSH PRIVATE KEY": "The private key is one of OpenSSH, not of a certificate.",
    "TRUSTED CERTIFICATE": "Trusted certificates of OpenSSL are not accepted: write it again with openssl x509.",
    "CERTIFICATE REQUEST": "This is a request for a certificate, not a certificate.",
    "NEW CERTIFICATE REQUEST": "This is a request for a certificate, not a certificate.",
    "PKCS7": "PKCS #7 is not accepted: convert it with openssl pkcs7 -print_certs.",
    "PUBLIC KEY": "This is a public key; the private key is needed.",
}


@dataclass(frozen=True, slots=True)
class Block:
    """A key or certificate with the name of the field it came in."""

    field: str
    is_key: bool
    text: bytes


def refuse(field: str, reason: str) -> NoReturn:
    """Raise ``BadRequest`` that names the field."""
    raise BadRequest(f"{field}: {reason}", details=[Detail(field, reason)])


def read_blocks(field: str, data: bytes) -> list[Block]:
    """The keys and certificates of a file, in its order; text between them is skipped.

    Raises ``BadRequest`` for a file over 64 kB, one without any, and for contents of other kinds.
    """
    if len(data) > MOST_BYTES:
        refuse(field, f"The file is larger than {MOST_BYTES // 1024} kB.")
    marks = list(_MARK.finditer(data))
    begins, ends = marks[::2], marks[1::2]
    pairs = list(zip(begins, ends, strict=False))
    if not marks or len(begins) != len(ends) or not all(_belong(*pair) for pair in pairs):
        refuse(field, _why_unreadable(data))
    blocks = [_block(field, begin[2].decode(), data[begin.end() : end.start()]) for begin, end in pairs]
    return [block for block in blocks if block]


def _belong(begin: re.Match[bytes], end: re.Match[bytes]) -> bool:
    return begin[1] == b"BEGIN" and end[1] == b"END" and begin[2] == end[2]


def _block(field: str, label: str, body: bytes) -> Block | None:
    if label in _IGNORED_LABELS:
        return None
    if reason := _REASONS.get(label):
        refuse(field, reason)
    if label not in _CERTIFICATE_LABELS | _KEY_LABELS:
        refuse(field, f"The file holds {label}, which is neither certificate nor private key.")
    if b"ENCRYPTED" in body:
        refuse(field, _REASONS["ENCRYPTED PRIVATE KEY"])
    name = label.removeprefix("X509 ").encode()
    lines = body.replace(b"\r", b"").strip()
    text = b"-----BEGIN %b-----\n%b\n-----END %b-----\n" % (name, lines, name)
    return Block(field, label in _KEY_LABELS, text)


def _why_unreadable(data: bytes) -> str:
    if not data.strip():
        return "The file is empty."
    if _MARK.search(data):
        return "The file is cut off or damaged: a BEGIN line lacks its END line."
    if data.startswith(b"\x30"):
        return "The file is binary (DER or PKCS #12): convert it with openssl x509 -inform der, or openssl pkcs12."
    return "The file is not PEM: there is no BEGIN line."
