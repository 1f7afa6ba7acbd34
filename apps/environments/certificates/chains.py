"""Which certificate was signed by which, whatever their order in the files."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from apps.environments.certificates.pem import Block, refuse
from apps.environments.certificates.purposes import CERT_SIGN, Usage


@dataclass(frozen=True, slots=True)
class Held:
    """A certificate of an upload with what is known of it; ``names`` are issuer and subject in comparable form."""

    block: Block
    loaded: x509.Certificate
    usage: Usage
    issuer: bytes
    subject: bytes
    encoding: bytes = field(repr=False)

    @property
    def is_self_issued(self) -> bool:
        """Whether it names itself as its issuer, as roots do."""
        return self.issuer == self.subject


def ordered(leaf: Held, others: Iterable[Held]) -> list[Held]:
    """The certificates that lead from the leaf to its root, nearest first; the same one twice counts once.

    Raises ``BadRequest`` naming the field when one of them signed nothing here, or may not sign, and when a leaf that
    names itself as issuer did not sign itself.
    """
    if leaf.is_self_issued and not has_signed(leaf, leaf):
        refuse(leaf.block.field, "The certificate names itself as its issuer but is not signed by its own key.")
    left = list({each.encoding: each for each in others if each.encoding != leaf.encoding}.values())
    steps, reached = [], [leaf]
    while left and reached:
        reached = [each for each in left if any(has_signed(each, below) for below in reached)]
        left = [each for each in left if each not in reached]
        steps.append(reached)
    if left:
        refuse(left[0].block.field, "A certificate of the chain does not belong to it: it has signed no other one.")
    for below, step in enumerate(steps):
        for each in step:
            _check_authority(each, below)
    return [each for step in steps for each in step]


def has_signed(issuer: Held, below: Held) -> bool:
    """Whether the signature of ``below`` was made with the key of ``issuer``."""
    if issuer.subject != below.issuer:
        return False
    try:
        _verify(issuer.loaded.public_key(), below.loaded)
    except (InvalidSignature, ValueError, TypeError, UnsupportedAlgorithm):
        return False
    return True


def _verify(key: object, below: x509.Certificate) -> None:
    signed, signature, parameters = below.tbs_certificate_bytes, below.signature, below.signature_algorithm_parameters
    used = below.signature_hash_algorithm
    if isinstance(key, rsa.RSAPublicKey) and isinstance(parameters, padding.PKCS1v15 | padding.PSS) and used:
        key.verify(signature, signed, parameters, used)
    elif isinstance(key, ec.EllipticCurvePublicKey) and isinstance(parameters, ec.ECDSA):
        key.verify(signature, signed, parameters)
    elif parameters is None and hasattr(key, "verify"):
        key.verify(signature, signed)
    else:
        raise InvalidSignature


def _check_authority(each: Held, below: int) -> None:
    """``below`` is the number of authorities between it and the leaf."""
    may_sign = each.usage.is_ca if each.usage.is_ca is not None else each.usage.is_old_root
    if not may_sign or not each.usage.allows(CERT_SIGN):
        refuse(each.block.field, "A certificate of the chain is none of an authority: it may not sign others.")
    if each.usage.path_length is not None and below > each.usage.path_length:
        refuse(each.block.field, "The chain is longer than one of its authorities allows.")
