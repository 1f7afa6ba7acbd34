"""``manage.py environment_tls``: what a web server in front needs to serve environments over TLS."""

import os
import re
import shutil
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.core.crypto import Undecipherable
from apps.environments.certificates import webservers
from apps.environments.certificates.webservers import Hosts, Pair
from apps.environments.models import SERVING, Environment, EnvironmentCertificate

_UPSTREAM = re.compile(r"[A-Za-z0-9.:\[\]-]+")
_PATH = re.compile(r"/[A-Za-z0-9._/-]+")
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")
_MORE_THAN_A_BODY = 1024 * 1024


class Command(BaseCommand):
    """Writes certificates with their keys into a folder, and a configuration that names them."""

    help = "Write the certificates of environments and a configuration of Caddy or nginx that serves their hosts."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which web server, and where things go."""
        parser.add_argument("server", choices=["caddy", "nginx"])
        parser.add_argument("folder", help="folder for certificates and keys; only the web server should read it")
        parser.add_argument("--output", help="file of the configuration; without it it is printed")
        parser.add_argument("--upstream", default=f"127.0.0.1:{settings.PORT}", help="where Flowize listens")
        parser.add_argument("--certificate", help="certificate of the hosts that have none of their own (nginx)")
        parser.add_argument("--key", help="its key")
        parser.add_argument(
            "--custom-names", action="store_true", help="also serve the other names that certificates are for"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Certificates first: the configuration never names files that are not there."""
        folder = _path(options["folder"])
        if not _UPSTREAM.fullmatch(options["upstream"]):
            raise CommandError("--upstream is host:port.")
        environments = [_hosts(environment, folder) for environment in _environments()]
        own = [name for name in settings.ALLOWED_HOSTS if name != "*"]
        sites = webservers.sites_of(environments, own, custom=options["custom_names"])
        text = _text(sites, options)
        if not options["output"]:
            self.stdout.write(text, ending="")
            return
        _replace(Path(_path(options["output"])), text, mode=0o644)
        _remove_old(folder, {hosts.pair.certificate for hosts in environments if hosts.pair})
        self.stdout.write(f"{len(sites)} names are in {options['output']}: have the web server read it.")


def _text(sites: list[webservers.Site], options: dict[str, Any]) -> str:
    if options["server"] == "caddy":
        return webservers.caddyfile(sites, options["upstream"])
    if bool(options["certificate"]) != bool(options["key"]):
        raise CommandError("--certificate and --key go together.")
    default = Pair(_path(options["certificate"]), _path(options["key"])) if options["key"] else None
    try:
        limit = settings.BODY_LIMIT + _MORE_THAN_A_BODY
        return webservers.nginx_configuration(sites, options["upstream"], default, limit)
    except ValueError as error:
        raise CommandError(
            f"{error} has no certificate: name one for such hosts with --certificate and --key."
        ) from None


def _environments() -> list[Environment]:
    return list(Environment.objects.filter(status__in=SERVING, provisioned_at__isnull=False).order_by("pk"))


def _hosts(environment: Environment, folder: str) -> Hosts:
    pair: Pair | None = None
    certified: tuple[str, ...] = ()
    try:
        certificate = environment.certificates.filter(live=True).first()
    except Undecipherable as error:
        raise CommandError(f"The private key of {environment} ({environment.pk}) cannot be read: {error}") from None
    if certificate:
        pair, certified = _written(certificate, folder), tuple(certificate.hosts)
    www, api, web = environment.www_host or "", environment.api_host or "", environment.web_host or ""
    return Hosts(www, api, web, certified, pair)


def _written(certificate: EnvironmentCertificate, folder: str) -> Pair:
    """The files of a certificate, in a folder named by its fingerprint: a new one never overwrites an old one."""
    place = Path(folder) / certificate.fingerprint
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    _replace(place / "key.pem", certificate.private_key, mode=0o600)
    _replace(place / "fullchain.pem", certificate.certificate + certificate.chain, mode=0o644)
    return Pair(str(place / "fullchain.pem"), str(place / "key.pem"))


def _replace(path: Path, text: str, *, mode: int) -> None:
    """Write whole or not at all, and never readable to more than ``mode`` says."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    fresh.replace(path)


def _remove_old(folder: str, named: set[str]) -> None:
    """Keys of certificates that are no longer served."""
    for place in Path(folder).glob("*"):  # there is no folder before the first certificate
        if _FINGERPRINT.fullmatch(place.name) and str(place / "fullchain.pem") not in named:
            shutil.rmtree(place)


def _path(text: str) -> str:
    path = str(Path(text).absolute())
    if not _PATH.fullmatch(path):
        raise CommandError(f"{path}: use letters, digits, and . _ - in names of files and folders.")
    return path
