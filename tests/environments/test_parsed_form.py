"""The documented form of a certificate says what PHP's parser says of the same file, field by field."""

from typing import Any

import pytest

from apps.environments.certificates import parsed_form
from tests.environments.openssl import Maker, Pair, php_form

SUBJECT = {
    "serial_number": "serialNumber",
    "email_address": "emailAddress",
    "common_name": "commonName",
    "organization_name": "organizationName",
    "organizational_unit_name": "organizationalUnitName",
    "locality_name": "localityName",
    "state_province_name": "stateOrProvinceName",
    "country_name": "countryName",
}
ISSUER = [
    "country_name",
    "state_province_name",
    "organization_name",
    "organizational_unit_name",
    "common_name",
    "email_address",
]
FIELDS = [
    *("name", "subject", "hash", "issuer", "version", "serial_number", "valid_from", "valid_to"),
    *("signature_type_SN", "signature_type_LN", "signature_type_NID", "purposes"),
]


def expected(certificate: bytes) -> dict[str, Any]:
    """PHP's answer under the names and in the order of the reference."""
    php = php_form(certificate)
    named, issuer = php["subject"] or {}, php["issuer"] or {}
    return {
        "name": php["name"],
        "subject": {ours: named.get(theirs) for ours, theirs in SUBJECT.items()},
        "hash": php["hash"],
        "issuer": {ours: issuer.get(SUBJECT[ours]) for ours in ISSUER},
        "version": php["version"],
        "serial_number": php["serialNumber"],
        "valid_from": php["validFrom_time_t"],
        "valid_to": php["validTo_time_t"],
        "signature_type_SN": php["signatureTypeSN"],
        "signature_type_LN": php["signatureTypeLN"],
        "signature_type_NID": php["signatureTypeNID"],
        "purposes": {number: php["purposes"][number] for number in map(str, range(1, 10))},
    }


def compare(one: Pair) -> dict[str, Any]:
    form = parsed_form(one.certificate.decode())
    assert form == expected(one.certificate)
    assert list(form) == FIELDS
    return form


@pytest.mark.parametrize("kind", ["rsa", "P-256", "P-384", "ed25519", "ed448"])
def test_kinds_of_keys(maker: Maker, kind: str) -> None:
    compare(maker.signed("/C=NL/ST=Utrecht/L=Zeist/O=Acme/OU=IT/CN=www.example.com", key=maker.key(kind)))


@pytest.mark.parametrize("option", ["-sha1", "-sha224", "-sha384", "-sha512", "-sha3-256", "-sha3-512"])
@pytest.mark.parametrize("kind", ["rsa", "ec"])
def test_kinds_of_signatures(maker: Maker, alone: Pair, site: Pair, kind: str, option: str) -> None:
    key = alone.key if kind == "rsa" else site.key
    # With an extension: without any, OpenSSL asks what it knows of the signature before it calls it an old root.
    form = compare(maker.signed(key=key, options=(option,), extensions="basicConstraints=CA:TRUE"))
    assert form["signature_type_NID"] > 0


def test_probabilistic_signatures(maker: Maker, alone: Pair) -> None:
    form = compare(maker.signed(key=alone.key, options=("-sigopt", "rsa_padding_mode:pss")))
    assert form["signature_type_SN"] == "RSASSA-PSS"


def test_a_chain(root: Pair, middle: Pair, site: Pair) -> None:
    for one in (root, middle, site):
        compare(one)
    assert parsed_form(site.certificate.decode())["issuer"]["common_name"] == "Acme Issuing"


@pytest.mark.parametrize(
    "subject",
    [
        "/CN=*.example.com",
        "/C=NL/ST=Zuid-Holland/L='s-Gravenhage/O=Acme B.V./OU=IT/CN=www.example.com/emailAddress=it@example.com",
        "/serialNumber=12345678/CN=with a number",
        "/CN=Bücher und Käse 日本語 😀",
        "/O=Two  Spaces And  CAPITALS  /CN=  padded  ",
        "/O=slash\\/and\\+plus/CN=back\\\\slash",
        "/DC=nl/DC=acme/OU=A/OU=B/OU=C/CN=several",
        "/O=Acme+OU=IT+CN=together/C=NL",
        "/CN=one+CN=two",
        "/GN=Ada/SN=Lovelace/title=Countess/initials=AL/generationQualifier=I/dnQualifier=x/pseudonym=p/UID=u",
        "/businessCategory=Private/jurisdictionC=NL/jurisdictionST=X/jurisdictionL=Y/street=Z 1/postalCode=1011",
        "/organizationIdentifier=NTRNL-1/description=words/name=n/unstructuredName=un/CN=others",
        "/1.2.3.4.5=unknown/CN=by number",
        "/CN=" + "x" * 64,
        "/",
    ],
)
def test_names(maker: Maker, site: Pair, subject: str) -> None:
    options = ("-multivalue-rdn",) if "+" in subject else ()
    compare(maker.signed(subject, key=site.key, options=options))


@pytest.mark.parametrize("mask", ["default", "pkix", "nombstr", "MASK:0x0800", "MASK:0x0004"])
def test_kinds_of_texts(maker: Maker, site: Pair, mask: str) -> None:
    """Printable, T.61 and BMP beside UTF-8."""
    config = maker.file(f"[req]\ndistinguished_name=dn\nstring_mask={mask}\n[dn]\n".encode())
    compare(maker.signed("/O=Acmé Wörks/CN=Plain Text", key=site.key, options=("-config", config)))


@pytest.mark.parametrize(
    "number", ["1", "255", "0x7FFFFFFFFFFFFFFF", "0x" + "7F" * 15, "0x" + "7F" * 16, "0x" + "80" * 16]
)
def test_serial_numbers(maker: Maker, site: Pair, number: str) -> None:
    compare(maker.signed(key=site.key, options=("-set_serial", number)))


def test_an_old_certificate_without_extensions(maker: Maker, alone: Pair, root: Pair) -> None:
    itself = Pair(alone.key, maker.signed("/CN=old", by=alone, key=alone.key).certificate)
    below = maker.signed("/CN=old", by=root)

    assert compare(itself)["version"] == 0
    assert compare(below)["version"] == 0
    own = maker.signed("/CN=www.example.com", by=alone, key=alone.key)  # the name of its issuer
    assert compare(own)["purposes"]["1"] == [True, True, "SSL client"]


KEY_USAGES = [
    "",
    "digitalSignature",
    "critical,digitalSignature,keyEncipherment",
    "keyEncipherment",
    "keyAgreement",
    "keyAgreement,decipherOnly",
    "nonRepudiation",
    "dataEncipherment",
    "critical,keyCertSign,cRLSign",
    "cRLSign",
]
EXTENDED_USAGES = [
    "",
    "serverAuth",
    "clientAuth",
    "serverAuth,clientAuth",
    "emailProtection",
    "timeStamping",
    "critical,timeStamping",
    "critical,timeStamping,1.2.3.4",
    "critical,timeStamping,clientAuth",
    "msSGC",
    "nsSGC",
    "OCSPSigning",
    "codeSigning",
    "anyExtendedKeyUsage",
    "1.2.3.4",
]
BASIC = ["", "CA:FALSE", "critical,CA:TRUE", "CA:TRUE,pathlen:2"]


@pytest.mark.parametrize("extended", EXTENDED_USAGES)
def test_purposes_of_extended_usages(maker: Maker, site: Pair, extended: str) -> None:
    for basic, usage in [("", ""), ("CA:FALSE", "digitalSignature,keyEncipherment"), ("CA:TRUE", "keyCertSign")]:
        compare(maker.signed(key=site.key, extensions=_extensions(basic, usage, extended)))


@pytest.mark.parametrize("basic", BASIC)
def test_purposes_of_key_usages(maker: Maker, site: Pair, basic: str) -> None:
    for usage in KEY_USAGES:
        compare(maker.signed(key=site.key, extensions=_extensions(basic, usage, "")))


@pytest.mark.parametrize(
    "kind", ["client", "server", "email", "objsign", "sslCA", "emailCA", "objCA", "client,emailCA"]
)
def test_purposes_of_netscape_types(maker: Maker, site: Pair, kind: str) -> None:
    for basic in ("", "CA:FALSE", "CA:TRUE"):
        compare(maker.signed(key=site.key, extensions=f"nsCertType={kind}\n" + _extensions(basic, "", "")))


def test_alternative_names_of_every_kind(maker: Maker, site: Pair) -> None:
    names = (
        "DNS:www.example.com,DNS:*.example.com,IP:192.0.2.1,IP:2001:db8::1,email:a@example.com,URI:https://example.com/"
    )
    form = compare(maker.signed(key=site.key, extensions=f"subjectAltName={names},RID:1.2.3.4"))
    assert form["name"] == "/CN=www.example.com"


def _extensions(basic: str, usage: str, extended: str) -> str:
    values = {"basicConstraints": basic, "keyUsage": usage, "extendedKeyUsage": extended}
    return "\n".join(f"{name}={value}" for name, value in values.items() if value)
