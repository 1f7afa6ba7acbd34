"""What a certificate may be used for, judged as OpenSSL's ``X509_check_purpose`` does."""

from dataclasses import dataclass
from typing import TypeAlias

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID as Use
from cryptography.x509.oid import ObjectIdentifier

DIGITAL_SIGNATURE, NON_REPUDIATION, KEY_ENCIPHERMENT, KEY_AGREEMENT = 0x80, 0x40, 0x20, 0x08
CERT_SIGN, CRL_SIGN = 0x04, 0x02
_NS_CLIENT, _NS_SERVER, _NS_MAIL, _NS_SSL_CA, _NS_MAIL_CA, _NS_ANY_CA = 0x80, 0x40, 0x20, 0x04, 0x02, 0x07
_NETSCAPE_TYPE = ObjectIdentifier("2.16.840.1.113730.1.1")
_GATED_CRYPTO = frozenset(map(ObjectIdentifier, ("1.3.6.1.4.1.311.10.3.3", "2.16.840.1.113730.4.1")))
_DVCS = ObjectIdentifier("1.3.6.1.5.5.7.3.10")
_KNOWN_USES = _GATED_CRYPTO | {
    Use.SERVER_AUTH,
    Use.CLIENT_AUTH,
    Use.EMAIL_PROTECTION,
    Use.CODE_SIGNING,
    Use.OCSP_SIGNING,
    Use.TIME_STAMPING,
    Use.ANY_EXTENDED_KEY_USAGE,
    _DVCS,
}

SERVING = _GATED_CRYPTO | {Use.SERVER_AUTH, Use.ANY_EXTENDED_KEY_USAGE}
"""The extended uses of which a server needs one, if there are any."""

Purpose: TypeAlias = tuple[bool, bool, str]
"""Whether it may be used so, whether its holder may sign certificates that are used so, the use."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What the extensions of a certificate say; nothing where one is missing."""

    key: int | None
    extended: frozenset[ObjectIdentifier] | None
    extended_is_critical: bool
    netscape: int | None
    is_ca: bool | None
    path_length: int | None
    is_old_root: bool

    def allows(self, bits: int) -> bool:
        """Whether the key may do one of these."""
        return self.key is None or bool(self.key & bits)

    def allows_use(self, *uses: ObjectIdentifier) -> bool:
        """Whether the extended uses name one of these, or there are none."""
        return self.extended is None or not self.extended.isdisjoint(uses)

    def allows_netscape(self, bits: int) -> bool:
        """The same for what came before extended uses."""
        return self.netscape is None or bool(self.netscape & bits)


def usage_of(certificate: x509.Certificate, *, is_self_issued: bool) -> Usage:
    """Read the extensions; raises ValueError when they cannot be read."""
    key = _extension(certificate, x509.KeyUsage)
    extended = _extension(certificate, x509.ExtendedKeyUsage)
    basic = _extension(certificate, x509.BasicConstraints)
    netscape = next((each for each in certificate.extensions if each.oid == _NETSCAPE_TYPE), None)
    return Usage(
        key=_bits(key.value.public_bytes()) if key else None,
        extended=frozenset(extended.value) if extended else None,
        extended_is_critical=extended is None or extended.critical,
        netscape=_bits(netscape.value.public_bytes()) if netscape else None,
        is_ca=basic.value.ca if basic else None,
        path_length=basic.value.path_length if basic else None,
        is_old_root=certificate.version == x509.Version.v1 and is_self_issued,
    )


def purposes(usage: Usage) -> dict[str, Purpose]:
    """The nine purposes under OpenSSL's numbers."""
    authority = _authority(usage)
    tls_authority = bool(authority) and (authority != 5 or bool((usage.netscape or 0) & _NS_SSL_CA))
    mail_authority = bool(authority) and (authority != 5 or bool((usage.netscape or 0) & _NS_MAIL_CA))
    client, server = usage.allows_use(Use.CLIENT_AUTH), usage.allows_use(Use.SERVER_AUTH, *_GATED_CRYPTO)
    mail, serves = usage.allows_use(Use.EMAIL_PROTECTION), server and _serves(usage)
    return {
        "1": (client and _is_client(usage), client and tls_authority, "SSL client"),
        "2": (serves, server and tls_authority, "SSL server"),
        "3": (serves and usage.allows(KEY_ENCIPHERMENT), server and tls_authority, "Netscape SSL server"),
        "4": (
            mail and _mails(usage) and usage.allows(DIGITAL_SIGNATURE | NON_REPUDIATION),
            mail and mail_authority,
            "S/MIME signing",
        ),
        "5": (
            mail and _mails(usage) and usage.allows(KEY_ENCIPHERMENT),
            mail and mail_authority,
            "S/MIME encryption",
        ),
        "6": (usage.allows(CRL_SIGN), bool(authority), "CRL signing"),
        "7": (True, True, "Any Purpose"),
        "8": (True, bool(authority), "OCSP helper"),
        "9": (_stamps_time(usage), bool(authority), "Time Stamp signing"),
    }


def _authority(usage: Usage) -> int:
    """OpenSSL's number for why it is a certificate authority; 0 when it is none."""
    if not usage.allows(CERT_SIGN):
        return 0
    if usage.is_ca is not None:
        return int(usage.is_ca)
    if usage.is_old_root:
        return 3
    if usage.key is not None:
        return 4
    return 5 if (usage.netscape or 0) & _NS_ANY_CA else 0


def _is_client(usage: Usage) -> bool:
    return usage.allows(DIGITAL_SIGNATURE | KEY_AGREEMENT) and usage.allows_netscape(_NS_CLIENT)


def _serves(usage: Usage) -> bool:
    return usage.allows_netscape(_NS_SERVER) and usage.allows(DIGITAL_SIGNATURE | KEY_ENCIPHERMENT | KEY_AGREEMENT)


def _mails(usage: Usage) -> bool:
    return usage.allows_netscape(_NS_MAIL | _NS_CLIENT)


def _stamps_time(usage: Usage) -> bool:
    signs = DIGITAL_SIGNATURE | NON_REPUDIATION
    key_fits = usage.key is None or (bool(usage.key & signs) and not usage.key & ~signs)
    uses = (usage.extended or frozenset()) & _KNOWN_USES
    return key_fits and uses == {Use.TIME_STAMPING} and usage.extended_is_critical


def _extension(certificate: x509.Certificate, kind: type) -> x509.Extension | None:
    try:
        return certificate.extensions.get_extension_for_class(kind)
    except x509.ExtensionNotFound:
        return None


def _bits(bit_string: bytes) -> int:
    """The bits of a DER bit string, its first one as 0x80; those of a second byte stand above."""
    first, *others = bit_string[3:] or b"\0"
    return first | (others[0] << 8 if others else 0)
