"""The form in which the API shows a certificate: the layout of PHP's ``openssl_x509_parse``, with names of the API."""

from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from apps.environments.certificates.der import Outline, outline
from apps.environments.certificates.names import canonical, name_hash, one_line, texts
from apps.environments.certificates.purposes import purposes, usage_of

_FIELDS = {
    "serial_number": "2.5.4.5",
    "email_address": "1.2.840.113549.1.9.1",
    "common_name": "2.5.4.3",
    "organization_name": "2.5.4.10",
    "organizational_unit_name": "2.5.4.11",
    "locality_name": "2.5.4.7",
    "state_province_name": "2.5.4.8",
    "country_name": "2.5.4.6",
}
_ISSUER_FIELDS = (
    "country_name",
    "state_province_name",
    "organization_name",
    "organizational_unit_name",
    "common_name",
    "email_address",
)
_SIGNATURES = {
    "1.2.840.113549.1.1.4": ("RSA-MD5", "md5WithRSAEncryption", 8),
    "1.2.840.113549.1.1.5": ("RSA-SHA1", "sha1WithRSAEncryption", 65),
    "1.2.840.113549.1.1.10": ("RSASSA-PSS", "rsassaPss", 912),
    "1.2.840.113549.1.1.11": ("RSA-SHA256", "sha256WithRSAEncryption", 668),
    "1.2.840.113549.1.1.12": ("RSA-SHA384", "sha384WithRSAEncryption", 669),
    "1.2.840.113549.1.1.13": ("RSA-SHA512", "sha512WithRSAEncryption", 670),
    "1.2.840.113549.1.1.14": ("RSA-SHA224", "sha224WithRSAEncryption", 671),
    "1.2.840.10045.4.1": ("ecdsa-with-SHA1", "ecdsa-with-SHA1", 416),
    "1.2.840.10045.4.3.1": ("ecdsa-with-SHA224", "ecdsa-with-SHA224", 793),
    "1.2.840.10045.4.3.2": ("ecdsa-with-SHA256", "ecdsa-with-SHA256", 794),
    "1.2.840.10045.4.3.3": ("ecdsa-with-SHA384", "ecdsa-with-SHA384", 795),
    "1.2.840.10045.4.3.4": ("ecdsa-with-SHA512", "ecdsa-with-SHA512", 796),
    "1.3.101.112": ("ED25519", "ED25519", 1087),
    "1.3.101.113": ("ED448", "ED448", 1088),
    "2.16.840.1.101.3.4.3.10": ("id-ecdsa-with-sha3-256", "ecdsa_with_SHA3-256", 1113),
    "2.16.840.1.101.3.4.3.11": ("id-ecdsa-with-sha3-384", "ecdsa_with_SHA3-384", 1114),
    "2.16.840.1.101.3.4.3.12": ("id-ecdsa-with-sha3-512", "ecdsa_with_SHA3-512", 1115),
    "2.16.840.1.101.3.4.3.14": ("id-rsassa-pkcs1-v1_5-with-sha3-256", "RSA-SHA3-256", 1117),
    "2.16.840.1.101.3.4.3.15": ("id-rsassa-pkcs1-v1_5-with-sha3-384", "RSA-SHA3-384", 1118),
    "2.16.840.1.101.3.4.3.16": ("id-rsassa-pkcs1-v1_5-with-sha3-512", "RSA-SHA3-512", 1119),
}
_UNKNOWN_SIGNATURE = ("UNDEF", "undefined", 0)
_DECIMAL_BITS = 128


def parsed_form(certificate: str) -> dict[str, Any]:
    """The documented form of a PEM certificate that ``read_certificate`` gave out: JSON, dates as seconds of the epoch.

    ``version`` counts from 0 and ``serial_number`` is decimal below 128 bits, else hexadecimal, as OpenSSL has both.
    """
    loaded = x509.load_pem_x509_certificate(certificate.encode())
    parts = outline(loaded.public_bytes(Encoding.DER))
    short, long, number = _SIGNATURES.get(parts.signature_algorithm, _UNKNOWN_SIGNATURE)
    usage = usage_of(loaded, is_self_issued=canonical(parts.subject) == canonical(parts.issuer))
    return {
        "name": one_line(parts.subject),
        "subject": {field: texts(parts.subject, oid) for field, oid in _FIELDS.items()},
        "hash": name_hash(parts.subject),
        "issuer": {field: texts(parts.issuer, _FIELDS[field]) for field in _ISSUER_FIELDS},
        "version": loaded.version.value,
        "serial_number": _serial(parts),
        "valid_from": int(loaded.not_valid_before_utc.timestamp()),
        "valid_to": int(loaded.not_valid_after_utc.timestamp()),
        "signature_type_SN": short,
        "signature_type_LN": long,
        "signature_type_NID": number,
        "purposes": {key: list(each) for key, each in purposes(usage).items()},
    }


def _serial(parts: Outline) -> str:
    if parts.serial.bit_length() < _DECIMAL_BITS:
        return str(parts.serial)
    digits = f"{parts.serial:X}"
    return f"0x{digits.zfill(len(digits) + len(digits) % 2)}"
