"""What keys, signatures, numbers and dates of a certificate must be like before anybody relies on them."""

from datetime import datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

RSA_BITS = range(2048, 8193)
_CURVES = {"secp256r1", "secp384r1", "secp521r1"}
_HASHES = {"sha256", "sha384", "sha512", "sha3-256", "sha3-384", "sha3-512"}


def fault_of_key(key: object) -> str | None:
    """Why a public or private key is not accepted, or nothing."""
    if isinstance(key, rsa.RSAPublicKey | rsa.RSAPrivateKey):
        if key.key_size in RSA_BITS:
            return None
        return f"An RSA key has 2048 to 8192 bits; this one has {key.key_size}."
    if isinstance(key, ec.EllipticCurvePublicKey | ec.EllipticCurvePrivateKey):
        name = key.curve.name
        return None if name in _CURVES else f"The curve {name} is not accepted: use P-256, P-384 or P-521."
    if isinstance(key, ed25519.Ed25519PublicKey | ed25519.Ed25519PrivateKey):
        return None
    return "Keys of this kind are not accepted: use RSA with 2048 bits or more, or P-256."


def fault_of_certificate(certificate: x509.Certificate, *, is_root: bool) -> str | None:
    """Why the key or the signature is too weak, or nothing; nobody relies on the signature of a root."""
    try:
        fault = fault_of_key(certificate.public_key())
    except (ValueError, UnsupportedAlgorithm):
        fault = fault_of_key(None)
    return fault or (None if is_root else _fault_of_signature(certificate))


def fault_of_dates(certificate: x509.Certificate, now: datetime) -> str | None:
    """Whether it has ended or not begun, or nothing."""
    if now > certificate.not_valid_after_utc:
        return f"The certificate expired on {certificate.not_valid_after_utc:%Y-%m-%d %H:%M:%S} UTC."
    if now < certificate.not_valid_before_utc:
        return f"The certificate is not valid before {certificate.not_valid_before_utc:%Y-%m-%d %H:%M:%S} UTC."
    return None


def _fault_of_signature(certificate: x509.Certificate) -> str | None:
    try:
        used = certificate.signature_hash_algorithm
    except (ValueError, UnsupportedAlgorithm):
        return "The certificate is signed in a way that is not known."
    if used is None or used.name in _HASHES:  # without a hash of its own: Ed25519
        return None
    return f"The certificate is signed with {used.name.upper()}, which is too weak: SHA-256 or better is needed."
