"""``/v1/webhook/{uri}``."""

from rest_framework.request import Request
from rest_framework.response import Response

from apps.applications.ratelimit import RateState, count_delivery
from apps.core.http.client import address_of
from apps.core.http.openapi.operation import operation
from apps.triggers import services
from apps.triggers.api import openapi
from apps.triggers.api.events import shown_event
from apps.triggers.api.secret_address import SecretAddressViewSet
from apps.triggers.carriers import delivery_in
from apps.webhooks.receivers import Receiver, find_receiver


class WebhookViewSet(SecretAddressViewSet):
    """Deliveries to the webhook of a secret uri."""

    parameter = "uri"
    receiver: Receiver

    def reach(self, secret: str, host: str, address: str) -> None:
        """The webhook."""
        self.receiver = find_receiver(secret, host=host, address=address)

    def count(self) -> RateState:
        """Against the webhook's limit."""
        return count_delivery(self.receiver.webhook_id, self.receiver.rate_limit)

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
