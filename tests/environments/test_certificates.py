"""What may be installed, and that each refusal names its field."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from apps.core.errors import BadRequest
from apps.core.jsonio import read_json
from apps.environments.certificates import Certificate, parsed_form, read_certificate
from tests.environments.openssl import Maker, Pair, openssl

BROKEN = b"-----BEGIN CERTIFICATE-----\nbm8gY2VydGlmaWNhdGU=\n-----END CERTIFICATE-----\n"


def read(*, later: timedelta = timedelta(), **files: Any) -> Certificate:
    return read_certificate(now=datetime.now(UTC) + later, **files)


def pair(one: Pair, *chain: bytes, **more: Any) -> Certificate:
    return read(private_key_file=one.key, certificate_file=one.certificate, chain_files=chain, **more)


def refusal(**files: Any) -> tuple[str, str]:
    """Field and reason."""
    with pytest.raises(BadRequest) as caught:
        read(**files)
    (detail,) = caught.value.details
    assert caught.value.message == f"{detail.path}: {detail.message}"
    assert len(caught.value.message) < 500
    return detail.path, detail.message


def refusal_of(one: Pair, *chain: bytes, **more: Any) -> tuple[str, str]:
    return refusal(private_key_file=one.key, certificate_file=one.certificate, chain_files=chain, **more)


def test_key_and_certificate_are_read_without_a_chain(site: Pair) -> None:
    found = pair(site)

    assert found.certificate.encode() == site.certificate
    assert found.private_key.encode() == site.key
    assert found.chain == ""
    assert found.hosts == ("www.example.com", "*.example.com", "192.0.2.7")
    assert found.not_after - found.not_before == timedelta(days=90)
    shown = openssl("x509", "-noout", "-fingerprint", "-sha256", stdin=site.certificate).decode()
    assert shown.strip().split("=")[1].replace(":", "").lower() == found.fingerprint


def test_the_key_is_not_shown_by_the_result(site: Pair) -> None:
    assert "PRIVATE" not in repr(pair(site))


@pytest.mark.parametrize("kind", ["rsa", "rsa:3072", "P-256", "P-384", "P-521", "ed25519"])
def test_strong_keys_are_accepted(maker: Maker, kind: str) -> None:
    one = maker.signed(key=maker.key(kind))

    assert pair(one).certificate.encode() == one.certificate


def test_a_certificate_without_alternative_names_is_for_its_common_name(alone: Pair) -> None:
    assert pair(alone).hosts == ("www.example.com",)


@pytest.mark.parametrize("order", [[0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2]])
def test_one_file_holds_key_certificate_and_chain_in_any_order(
    site: Pair, middle: Pair, root: Pair, order: list[int]
) -> None:
    parts = [site.key, site.certificate, middle.certificate, root.certificate]

    found = read(pem_file=b"".join(parts[place] for place in order))

    assert found.certificate.encode() == site.certificate
    assert found.chain.encode() == middle.certificate + root.certificate


def test_chain_files_are_put_in_order(site: Pair, middle: Pair, root: Pair) -> None:
    assert pair(site, root.certificate, middle.certificate).chain.encode() == middle.certificate + root.certificate
    assert pair(site, root.certificate + middle.certificate).chain.encode() == middle.certificate + root.certificate


def test_a_chain_may_stop_before_its_root_and_repeat_itself(site: Pair, middle: Pair) -> None:
    assert pair(site, middle.certificate).chain.encode() == middle.certificate
    repeated = middle.certificate + site.certificate + middle.certificate
    assert pair(site, repeated).chain.encode() == middle.certificate


def test_the_chain_may_stand_in_the_certificate_file(site: Pair, middle: Pair) -> None:
    found = read(private_key_file=site.key, certificate_file=site.certificate + middle.certificate)

    assert found.chain.encode() == middle.certificate


def test_what_comes_out_is_a_chain_for_openssl(maker: Maker, site: Pair, middle: Pair, root: Pair) -> None:
    found = pair(site, root.certificate, middle.certificate)

    chain = maker.file(found.chain.encode())
    leaf = maker.file(found.certificate.encode())
    openssl("verify", "-CAfile", maker.file(root.certificate), "-untrusted", chain, leaf)


def test_two_signers_of_one_authority_are_both_kept(maker: Maker, middle: Pair, site: Pair, root: Pair) -> None:
    other_root = maker.authority("/CN=Older Root")
    crossed = maker.authority("/C=NL/O=Acme/CN=Acme Issuing", by=other_root, key=middle.key)

    found = pair(site, other_root.certificate, root.certificate, crossed.certificate, middle.certificate)

    assert found.chain.count("BEGIN CERTIFICATE") == 4


def test_names_that_differ_in_case_and_kind_of_text_still_lead_on(maker: Maker) -> None:
    printable = maker.authority("/O=ACME  Works/CN=Root", options=("-nameopt", "multiline"))
    issuer_named_otherwise = maker.authority("/O=acme works/CN=root", key=printable.key)
    below = maker.signed(by=issuer_named_otherwise)

    assert pair(below, printable.certificate).chain.encode() == printable.certificate


def test_pem_file_wins_over_the_other_files(site: Pair, alone: Pair) -> None:
    found = read(pem_file=site.key + site.certificate, private_key_file=alone.key, certificate_file=b"\0garbage")

    assert found.certificate.encode() == site.certificate


def test_windows_lines_byte_order_mark_and_text_between_are_read(site: Pair) -> None:
    text = b"\xef\xbb\xbfBag Attributes\n" + site.key + openssl("x509", "-text", stdin=site.certificate)

    assert read(pem_file=text.replace(b"\n", b"\r\n")).certificate.encode() == site.certificate


def test_older_forms_of_keys_are_read(maker: Maker, alone: Pair, site: Pair) -> None:
    rsa = openssl("rsa", "-traditional", stdin=alone.key)
    ec = openssl("ecparam", "-name", "prime256v1") + openssl("ec", stdin=site.key)
    assert b"BEGIN RSA PRIVATE KEY" in rsa
    assert b"BEGIN EC PARAMETERS" in ec

    assert read(private_key_file=rsa, certificate_file=alone.certificate).private_key.encode() == alone.key
    assert read(private_key_file=ec, certificate_file=site.certificate).private_key.encode() == site.key


def test_one_of_key_and_certificate_is_not_enough(site: Pair) -> None:
    assert refusal(certificate_file=site.certificate) == (
        "private_key_file",
        "The file is missing: certificate_file and private_key_file are sent together, or pem_file alone.",
    )
    assert refusal(private_key_file=site.key)[0] == "certificate_file"
    assert refusal(chain_files=[site.certificate])[0] == "private_key_file"


def test_a_key_must_fit(site: Pair, alone: Pair) -> None:
    told = ("certificate_file", "The private key does not fit the certificate.")
    assert refusal(private_key_file=alone.key, certificate_file=site.certificate) == told
    assert refusal(pem_file=alone.key + site.certificate) == ("pem_file", told[1])


def test_a_key_that_fits_only_the_chain_does_not_count(site: Pair, middle: Pair) -> None:
    files = {"private_key_file": middle.key, "certificate_file": site.certificate, "chain_files": [middle.certificate]}
    assert refusal(**files) == ("certificate_file", "The private key does not fit the certificate.")


def test_an_encrypted_key_is_refused_in_each_form(alone: Pair) -> None:
    told = ("private_key_file", "The private key is encrypted: decrypt it first, with openssl pkey.")
    new = openssl("pkcs8", "-topk8", "-passout", "pass:secret", stdin=alone.key)
    old = openssl("rsa", "-traditional", "-aes256", "-passout", "pass:secret", stdin=alone.key)
    assert b"ENCRYPTED" in old
    assert b"ENCRYPTED" in new

    for key in (new, old):
        assert refusal(private_key_file=key, certificate_file=alone.certificate) == told


def test_dates_are_looked_at(site: Pair, alone: Pair) -> None:
    field, reason = refusal_of(site, later=timedelta(days=91))
    assert (field, reason[:27]) == ("certificate_file", "The certificate expired on ")
    field, reason = refusal_of(site, later=timedelta(hours=-1))
    assert (field, reason[:33]) == ("certificate_file", "The certificate is not valid befo")
    assert refusal(pem_file=alone.key + alone.certificate, later=timedelta(days=91))[0] == "pem_file"


def test_an_authority_that_has_ended_is_refused(maker: Maker, root: Pair) -> None:
    brief = maker.authority("/CN=Brief", by=root, days=10)
    below = maker.signed(by=brief)

    assert pair(below, brief.certificate, later=timedelta(days=9)).chain
    assert refusal_of(below, brief.certificate, later=timedelta(days=11))[0] == "chain_files"


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("rsa:1024", "An RSA key has 2048 to 8192 bits; this one has 1024."),
        ("rsa:2047", "An RSA key has 2048 to 8192 bits; this one has 2047."),
        ("prime192v1", "The curve secp192r1 is not accepted: use P-256, P-384 or P-521."),
        ("secp256k1", "The curve secp256k1 is not accepted: use P-256, P-384 or P-521."),
        ("ed448", "Keys of this kind are not accepted: use RSA with 2048 bits or more, or P-256."),
    ],
)
def test_weak_and_strange_keys_are_refused(maker: Maker, kind: str, reason: str) -> None:
    assert refusal_of(maker.signed(key=maker.key(kind))) == ("private_key_file", reason)


def test_dsa_is_refused(maker: Maker) -> None:
    parameters = openssl("genpkey", "-genparam", "-algorithm", "DSA", "-pkeyopt", "dsa_paramgen_bits:1024")
    one = maker.signed(key=openssl("genpkey", "-paramfile", maker.file(parameters)))

    assert refusal_of(one)[0] == "private_key_file"


def test_a_weak_authority_is_refused(maker: Maker) -> None:
    weak = maker.authority("/CN=Weak", key=maker.key("rsa:1024"))
    below = maker.signed(by=weak)

    told = ("chain_files", "An RSA key has 2048 to 8192 bits; this one has 1024.")
    assert refusal_of(below, weak.certificate) == told


def test_sha1_is_refused_but_for_roots(maker: Maker) -> None:
    old_root = maker.authority("/CN=Old Root", options=("-sha1",), key=maker.key("rsa"))
    assert pair(maker.signed(by=old_root), old_root.certificate).chain

    told = "The certificate is signed with SHA1, which is too weak: SHA-256 or better is needed."
    assert refusal_of(maker.signed(options=("-sha1",))) == ("certificate_file", told)


@pytest.mark.parametrize("number", ["-5", "0"])
def test_a_serial_number_is_above_zero(maker: Maker, number: str) -> None:
    told = ("certificate_file", "The serial number of the certificate is not above zero.")
    assert refusal_of(maker.signed(options=("-set_serial", number))) == told


def test_strangers_in_the_chain_are_refused(site: Pair, middle: Pair, root: Pair, alone: Pair) -> None:
    told = ("chain_files", "A certificate of the chain does not belong to it: it has signed no other one.")
    assert refusal_of(site, middle.certificate, alone.certificate) == told
    assert refusal_of(site, root.certificate) == told  # the one between is missing


def test_a_namesake_of_the_authority_is_a_stranger(maker: Maker, site: Pair) -> None:
    namesake = maker.authority("/C=NL/O=Acme/CN=Acme Issuing")

    assert refusal_of(site, namesake.certificate)[0] == "chain_files"


def test_an_authority_must_be_allowed_to_sign(maker: Maker, root: Pair) -> None:
    told = ("chain_files", "A certificate of the chain is none of an authority: it may not sign others.")
    server = maker.signed("/CN=Server", by=root, extensions="basicConstraints=CA:FALSE")
    assert refusal_of(maker.signed(by=server), server.certificate) == told

    signs_nothing = maker.signed("/CN=No", by=root, extensions="basicConstraints=CA:TRUE\nkeyUsage=cRLSign")
    assert refusal_of(maker.signed(by=signs_nothing), signs_nothing.certificate) == told


def test_an_authority_may_limit_the_length_of_the_chain(maker: Maker) -> None:
    strict = maker.authority("/CN=Strict", more=",pathlen:0")
    between = maker.authority("/CN=Between", by=strict)
    assert pair(maker.signed(by=strict), strict.certificate).chain

    told = ("chain_files", "The chain is longer than one of its authorities allows.")
    assert refusal_of(maker.signed(by=between), between.certificate, strict.certificate) == told


def test_a_certificate_that_only_claims_to_be_its_own_issuer_is_refused(maker: Maker) -> None:
    liar = maker.signed("/CN=Same", by=maker.authority("/CN=Same"))

    assert refusal_of(liar)[0] == "certificate_file"


def test_a_certificate_for_clients_only_is_refused(maker: Maker) -> None:
    told = ("certificate_file", "The certificate is not for servers: its extended key usage lacks serverAuth.")
    assert refusal_of(maker.signed(extensions="extendedKeyUsage=clientAuth")) == told
    assert pair(maker.signed(extensions="extendedKeyUsage=clientAuth,serverAuth"))
    assert pair(maker.signed(extensions="extendedKeyUsage=anyExtendedKeyUsage"))


def test_several_keys_and_several_certificates_of_one_key_are_refused(maker: Maker, site: Pair, alone: Pair) -> None:
    assert refusal(pem_file=site.key + alone.key + site.certificate)[1] == "There are several private keys in the file."
    renewed = maker.signed(key=site.key)
    told = "There are several certificates of the same private key: which one is meant?"
    assert refusal(pem_file=site.key + site.certificate + renewed.certificate) == ("pem_file", told)


def test_keys_are_only_where_they_belong(site: Pair) -> None:
    reason = "There is a private key in the file: it belongs in private_key_file only."
    assert refusal(private_key_file=site.key, certificate_file=site.key) == ("certificate_file", reason)
    assert refusal_of(site, site.key) == ("chain_files", reason)
    missing = ("private_key_file", "There is no private key in the file.")
    assert refusal(private_key_file=site.certificate, certificate_file=site.certificate) == missing
    assert refusal(pem_file=site.certificate) == ("pem_file", missing[1])
    assert refusal(pem_file=site.key) == ("pem_file", "There is no certificate in the file.")


def test_other_kinds_of_files_are_refused_with_a_way_out(maker: Maker, site: Pair) -> None:
    der = openssl("x509", "-outform", "der", stdin=site.certificate)
    request = openssl("req", "-new", "-key", maker.file(site.key), "-subj", "/CN=x")
    bag = openssl("crl2pkcs7", "-nocrl", "-certfile", maker.file(site.certificate))
    public = openssl("pkey", "-pubout", stdin=site.key)
    trusted = openssl("x509", "-trustout", stdin=site.certificate)

    for file, word in [(der, "inform der"), (request, "request"), (bag, "print_certs"), (trusted, "openssl x509")]:
        field, reason = refusal(private_key_file=site.key, certificate_file=file)
        assert field == "certificate_file"
        assert word in reason
    assert "public key" in refusal(private_key_file=public, certificate_file=site.certificate)[1]
    reason = "The file holds CRL, which is neither certificate nor private key."
    assert refusal(pem_file=b"-----BEGIN CRL-----\nAA==\n-----END CRL-----\n") == ("pem_file", reason)


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        (b"", "The file is empty."),
        (b" \n", "The file is empty."),
        (b"\x00\x01\x02" * 100, "The file is not PEM: there is no BEGIN line."),
        ("-----BEGIN CERTIFICATE-----".encode("utf-16"), "The file is not PEM: there is no BEGIN line."),
        (b"-----BEGIN CERTIFICATE-----\nMII", "The file is cut off or damaged: a BEGIN line lacks its END line."),
        (BROKEN, "The certificate is damaged: it cannot be read."),
        (BROKEN.replace(b"bm8", b"!!!"), "The certificate is damaged: it cannot be read."),
        (b"x" * (64 * 1024 + 1), "The file is larger than 64 kB."),
    ],
)
def test_garbage_is_refused(site: Pair, file: bytes, reason: str) -> None:
    assert refusal(private_key_file=site.key, certificate_file=file) == ("certificate_file", reason)


@pytest.mark.parametrize(
    "line", [b"-----BEGIN A-----\n", b"-----BEGIN CERTIFICATE-----\n", b"-----BEGIN A-----\n-----END B-----\n"]
)
def test_very_many_beginnings_without_an_end_are_looked_at_once(site: Pair, line: bytes) -> None:
    file = line * (64 * 1024 // len(line))
    field, reason = refusal(private_key_file=site.key, certificate_file=file)
    assert (field, reason) == ("certificate_file", "The file is cut off or damaged: a BEGIN line lacks its END line.")


def test_a_damaged_key_is_refused(site: Pair) -> None:
    damaged = site.key.replace(site.key.splitlines()[1][:8], b"AAAAAAAA")
    told = "The private key is damaged or of a kind that is not accepted."
    assert refusal(private_key_file=damaged, certificate_file=site.certificate) == ("private_key_file", told)


def test_a_certificate_cut_anywhere_or_with_any_byte_changed_gives_a_refusal_or_is_read(site: Pair) -> None:
    der = openssl("x509", "-outform", "der", stdin=site.certificate)
    refused = 0
    for place in range(len(der)):
        for changed in (der[:place], der[:place] + bytes([der[place] ^ 0x15]) + der[place + 1 :]):
            pem = b"-----BEGIN CERTIFICATE-----\n" + base64.b64encode(changed) + b"\n-----END CERTIFICATE-----\n"
            try:
                accepted = read(private_key_file=site.key, certificate_file=pem)
                assert read_json(json.dumps(parsed_form(accepted.certificate)))["version"] == 2
            except BadRequest:
                refused += 1
    assert refused > len(der)


def test_more_than_ten_certificates_are_refused(site: Pair, middle: Pair) -> None:
    told = "There are 11 certificates; 10 are allowed."
    assert refusal_of(site, middle.certificate * 10) == ("chain_files", told)
