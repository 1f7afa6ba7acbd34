"""Who changed something, as the audit log notes it."""

from auditlog.middleware import AuditlogMiddleware
from django.http import HttpRequest

from apps.core.http.client import address_of


class AuditMiddleware(AuditlogMiddleware):
    """The library's, with the client's address as everywhere else: only trusted proxies may say another."""

    @staticmethod
    def _get_remote_addr(request: HttpRequest) -> str | None:
        return address_of(request) or None
