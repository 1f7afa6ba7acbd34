"""Certificates that several tests share."""

from pathlib import Path

import pytest

from tests.environments.openssl import Maker, Pair


@pytest.fixture(scope="session")
def maker(tmp_path_factory: pytest.TempPathFactory) -> Maker:
    return Maker(Path(tmp_path_factory.mktemp("certificates")))


@pytest.fixture(scope="session")
def root(maker: Maker) -> Pair:
    return maker.authority("/C=NL/O=Acme/CN=Acme Root")


@pytest.fixture(scope="session")
def middle(maker: Maker, root: Pair) -> Pair:
    return maker.authority("/C=NL/O=Acme/CN=Acme Issuing", by=root)


@pytest.fixture(scope="session")
def site(maker: Maker, middle: Pair) -> Pair:
    """Of a server, two steps below the root."""
    return maker.signed(by=middle, extensions="subjectAltName=DNS:www.example.com,DNS:*.example.com,IP:192.0.2.7")


@pytest.fixture(scope="session")
def alone(maker: Maker) -> Pair:
    """Signed by itself, with an RSA key."""
    return maker.signed(key=maker.key("rsa"))
