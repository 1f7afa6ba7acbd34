"""Certificates for tests, made by the openssl command, and what PHP reads in them."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.server.interop import program

PARSE = "echo json_encode(openssl_x509_parse(stream_get_contents(STDIN), false), JSON_INVALID_UTF8_SUBSTITUTE);"


def openssl(*arguments: str, stdin: bytes = b"") -> bytes:
    """What the command prints; it must succeed."""
    done = subprocess.run([program("openssl"), *arguments], input=stdin, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def php_form(certificate: bytes) -> dict[str, Any]:
    """``openssl_x509_parse`` with long names."""
    done = subprocess.run([program("php"), "-r", PARSE], input=certificate, capture_output=True, check=True)
    return json.loads(done.stdout)


@dataclass(frozen=True)
class Pair:
    """A private key and a certificate of it, as PEM."""

    key: bytes
    certificate: bytes


class Maker:
    """Makes keys and certificates in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.made = 0

    def key(self, kind: str = "ec") -> bytes:
        """A fresh one: ``ec`` (P-256), ``rsa`` (2048), ``rsa:1024``, ``ed25519`` or the name of a curve."""
        name, _, bits = kind.partition(":")
        if name == "rsa":
            return openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", f"rsa_keygen_bits:{bits or 2048}")
        if name in ("ed25519", "ed448"):
            return openssl("genpkey", "-algorithm", name)
        curve = "P-256" if name == "ec" else name
        return openssl("genpkey", "-algorithm", "EC", "-pkeyopt", f"ec_paramgen_curve:{curve}")

    def signed(
        self,
        subject: str = "/CN=www.example.com",
        *,
        by: Pair | None = None,
        key: bytes | None = None,
        days: int = 90,
        extensions: str = "",
        options: tuple[str, ...] = (),
    ) -> Pair:
        """A certificate of that subject, signed by another one, or by itself; ``extensions`` as in a config file."""
        key = key or self.key()
        config = self.file(f"[req]\ndistinguished_name=dn\nstring_mask=utf8only\n[dn]\n[v3]\n{extensions}\n".encode())
        request = ["req", "-new", "-key", self.file(key), "-subj", subject, "-utf8", "-config", config, *options]
        if by is None:
            added = ["-extensions", "v3"] if extensions else []
            return Pair(key, openssl(*request, "-x509", "-days", str(days), *added))
        sign = ["x509", "-req", "-days", str(days), "-CA", self.file(by.certificate), "-CAkey", self.file(by.key)]
        added = ["-extfile", config, "-extensions", "v3"] if extensions else []
        return Pair(key, openssl(*sign, "-CAcreateserial", *added, stdin=openssl(*request)))

    def authority(self, subject: str = "/CN=Root", by: Pair | None = None, more: str = "", **options: Any) -> Pair:
        """One that may sign others."""
        extensions = f"basicConstraints=critical,CA:TRUE{more}\nkeyUsage=critical,keyCertSign,cRLSign"
        return self.signed(subject, by=by, extensions=extensions, **options)

    def file(self, content: bytes) -> str:
        """A fresh file with that content."""
        self.made += 1
        path = self.folder / f"{self.made}.pem"
        path.write_bytes(content)
        return str(path)
