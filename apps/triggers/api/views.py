"""``/v1/webhook/{uri}``."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from apps.applications.api.base import EnvelopeViewSet
from apps.applications.carriers import host_of
from apps.applications.ratelimit import RateState, count_delivery, count_failed_login
from apps.core.errors import NotFound
from apps.core.http.client import address_of
from apps.core.http.openapi.operation import operation
from apps.triggers import services
from apps.triggers.api import openapi
from apps.triggers.api.events import shown_event
from apps.triggers.api.parsers import FormParser
from apps.triggers.carriers import delivery_in
from apps.webhooks.receivers import Receiver, find_receiver


class WebhookViewSet(EnvelopeViewSet):
    """Deliveries; knowing the uri is the only credential, and nothing of the body is read before it is known."""

    parser_classes = (*EnvelopeViewSet.parser_classes, FormParser)
    required_scopes: dict[str, str] = {}
    receiver: Receiver
    rate: RateState | None = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Find the webhook, ask for the address, and count the delivery against the webhook's limit."""
        super().initial(request, *args, **kwargs)
        if request.method == "OPTIONS" or not self.action:
            return
        address = address_of(request._request)
        try:
            self.receiver = find_receiver(kwargs["uri"], host=host_of(request._request), address=address)
        except NotFound:
            self.rate = count_failed_login(address)
            self.rate.require()
            raise
        self.rate = count_delivery(self.receiver.webhook_id, self.receiver.rate_limit)
        self.rate.require()

    @operation(openapi.RECEIVE)
    def receive(self, request: Request, uri: str) -> Response:
        """Store a payload; with a flow it becomes a record, too."""
        payload = self.document(request)
        receipt = services.receive(
            self.receiver, payload, address=address_of(request._request), delivery=delivery_in(request._request)
        )
        rows = [shown_event(self.receiver, event) for event in receipt.events]
        several = len(rows) > 1 or (self.receiver.batch and isinstance(payload, list))
        response = self.answer(rows if several else rows[0], "Data stored successfully", 201)
        if receipt.repeated:
            response["Idempotency-Replayed"] = "true"
        return response

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Say where the webhook stands in its window."""
        response = super().finalize_response(request, response, *args, **kwargs)
        for name, value in (self.rate.headers if self.rate else {}).items():
            response[name] = value
        return response
