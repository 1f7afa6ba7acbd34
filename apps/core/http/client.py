"""Who is on the other end of the connection."""

from django.conf import settings
from django.http import HttpRequest

from apps.core import addresses


def address_of(request: HttpRequest) -> str:
    """The client's address: the peer's, or the one that trusted proxies forwarded; "" for an untrusted unix socket."""
    known = getattr(request, "client_address", None)
    if known is None:
        known = addresses.client_address(
            request.META.get("REMOTE_ADDR", ""),
            request.META.get("HTTP_X_FORWARDED_FOR"),
            settings.TRUSTED_PROXIES,
            trusted_unix=settings.TRUST_UNIX_SOCKET,
        )
        request.client_address = known  # type: ignore[attr-defined]
    return known


def is_secure(request: HttpRequest) -> bool:
    """Whether the client's own connection is TLS, as far as a trusted proxy says so."""
    if request.META.get("wsgi.url_scheme") == "https":
        return True
    return peer_is_trusted(request) and request.META.get("HTTP_X_FORWARDED_PROTO", "").strip().lower() == "https"


def peer_is_trusted(request: HttpRequest) -> bool:
    """Whether the connection comes from one of the installation's own proxies."""
    peer = request.META.get("REMOTE_ADDR", "")
    return addresses.allows(settings.TRUSTED_PROXIES, peer) if peer else settings.TRUST_UNIX_SOCKET
