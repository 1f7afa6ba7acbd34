"""Reading the files of a certificate that somebody wants to install."""

import binascii
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from apps.core.errors import BadRequest, Detail
from apps.environments.certificates.chains import Held, ordered
from apps.environments.certificates.der import MalformedDer, outline
from apps.environments.certificates.names import attributes, canonical
from apps.environments.certificates.pem import Block, read_blocks, refuse
from apps.environments.certificates.purposes import SERVING, usage_of
from apps.environments.certificates.strength import fault_of_certificate, fault_of_dates, fault_of_key

MOST_CERTIFICATES = 10
_DAMAGED = "The certificate is damaged: it cannot be read."


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate that may be installed: PEM texts, dates in UTC, the SHA-256 fingerprint in hexadecimal.

    ``chain`` is what a server sends after the certificate, nearest first, "" without any; ``hosts`` the names of
    hosts and addresses it is for. The key is PKCS #8 without encryption: store it encrypted only.
    """

    certificate: str
    chain: str
    private_key: str = field(repr=False)
    not_before: datetime
    not_after: datetime
    fingerprint: str
    hosts: tuple[str, ...]


def read_certificate(
    *,
    now: datetime,
    pem_file: bytes | None = None,
    private_key_file: bytes | None = None,
    certificate_file: bytes | None = None,
    chain_files: Sequence[bytes] = (),
) -> Certificate:
    """The certificate of an upload; with ``pem_file`` the other files are not looked at.

    Raises ``BadRequest`` whose details name the field, for every upload that should not be put before users: no key or
    one that does not fit, an encrypted or weak one, a chain that does not verify, a certificate outside its dates.
    """
    if pem_file is not None:
        blocks = read_blocks("pem_file", pem_file)
        key, certificates = _the_key("pem_file", blocks), [each for each in blocks if not each.is_key]
    else:
        key = _the_key("private_key_file", _given(private_key_file, "private_key_file", "certificate_file"))
        certificates = _certificates(
            "certificate_file", _given(certificate_file, "certificate_file", "private_key_file")
        )
        for data in chain_files:
            certificates += _certificates("chain_files", read_blocks("chain_files", data))
    return _certificate(key, certificates, now)


def _given(data: bytes | None, name: str, other: str) -> list[Block]:
    if data is None:
        reason = f"The file is missing: {other} and {name} are sent together, or pem_file alone."
        raise BadRequest(f"{name}: {reason}", details=[Detail(name, reason)])
    return read_blocks(name, data)


def _the_key(name: str, blocks: Iterable[Block]) -> Block:
    keys = [each for each in blocks if each.is_key]
    if not keys:
        refuse(name, "There is no private key in the file.")
    if len(keys) > 1:
        refuse(name, "There are several private keys in the file.")
    return keys[0]


def _certificates(name: str, blocks: Sequence[Block]) -> list[Block]:
    if any(each.is_key for each in blocks):
        refuse(name, "There is a private key in the file: it belongs in private_key_file only.")
    return list(blocks)


def _certificate(key_block: Block, blocks: Sequence[Block], now: datetime) -> Certificate:
    if not blocks:
        refuse(key_block.field, "There is no certificate in the file.")
    if len(blocks) > MOST_CERTIFICATES:
        refuse(blocks[-1].field, f"There are {len(blocks)} certificates; {MOST_CERTIFICATES} are allowed.")
    key = _load_key(key_block)
    held = [_load(block) for block in blocks]
    leaf = _the_leaf(key, blocks[0].field, held)
    for each in held:
        _check(each, now, is_leaf=each.encoding == leaf.encoding)
    return _result(key, leaf, ordered(leaf, held))


def _load_key(block: Block) -> PrivateKeyTypes:
    try:
        # First without the check of its numbers, which takes very long for very large ones.
        if fault := fault_of_key(load_pem_private_key(block.text, None, unsafe_skip_rsa_key_validation=True)):
            refuse(block.field, fault)
        return load_pem_private_key(block.text, None)
    except TypeError:
        refuse(block.field, "The private key is encrypted: decrypt it first, with openssl pkey.")
    except (ValueError, UnsupportedAlgorithm):
        refuse(block.field, "The private key is damaged or of a kind that is not accepted.")


def _load(block: Block) -> Held:
    try:
        encoding = _der(block)
        parts = outline(encoding)
        if parts.serial <= 0:
            refuse(block.field, "The serial number of the certificate is not above zero.")
        loaded = x509.load_der_x509_certificate(encoding)
        issuer, subject = canonical(parts.issuer), canonical(parts.subject)
        if any("\0" in (each.text or "") for each in (*attributes(parts.subject), *attributes(parts.issuer))):
            refuse(block.field, "A name in the certificate holds a NUL character.")
        usage = usage_of(loaded, is_self_issued=issuer == subject)
    except (MalformedDer, ValueError, TypeError, x509.InvalidVersion, UnsupportedAlgorithm, x509.DuplicateExtension):
        refuse(block.field, _DAMAGED)
    return Held(block, loaded, usage, issuer, subject, encoding)


def _der(block: Block) -> bytes:
    lines = block.text.splitlines()[1:-1]
    return binascii.a2b_base64(b"".join(b"".join(lines).split()), strict_mode=True)


def _the_leaf(key: PrivateKeyTypes, name: str, held: Iterable[Held]) -> Held:
    """The certificate that the key fits, among those of the field where it belongs."""
    wanted = _public(key)
    found = {each.encoding: each for each in held if each.block.field == name and _public(each.loaded) == wanted}
    if not found:
        refuse(name, "The private key does not fit the certificate.")
    if len(found) > 1:
        refuse(name, "There are several certificates of the same private key: which one is meant?")
    return next(iter(found.values()))


def _public(holder: PrivateKeyTypes | x509.Certificate) -> bytes | None:
    try:
        return holder.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except (ValueError, UnsupportedAlgorithm):
        return None


def _check(each: Held, now: datetime, *, is_leaf: bool) -> None:
    is_root = each.is_self_issued and not is_leaf
    if fault := fault_of_certificate(each.loaded, is_root=is_root) or fault_of_dates(each.loaded, now):
        refuse(each.block.field, fault)
    if is_leaf and not each.usage.allows_use(*SERVING):
        refuse(each.block.field, "The certificate is not for servers: its extended key usage lacks serverAuth.")


def _result(key: PrivateKeyTypes, leaf: Held, chain: Iterable[Held]) -> Certificate:
    loaded = leaf.loaded
    return Certificate(
        certificate=_pem(loaded),
        chain="".join(_pem(each.loaded) for each in chain),
        private_key=key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
        not_before=loaded.not_valid_before_utc,
        not_after=loaded.not_valid_after_utc,
        fingerprint=loaded.fingerprint(hashes.SHA256()).hex(),
        hosts=_hosts(leaf),
    )


def _pem(loaded: x509.Certificate) -> str:
    return loaded.public_bytes(Encoding.PEM).decode()


def _hosts(leaf: Held) -> tuple[str, ...]:
    try:
        named = leaf.loaded.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        names = leaf.loaded.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        return tuple(str(each.value) for each in names)
    addresses = map(str, named.get_values_for_type(x509.IPAddress))
    return (*named.get_values_for_type(x509.DNSName), *addresses)
