"""``/v1/keystore``."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from apps.applications.api.base import PROJECT_KEY, CallerViewSet
from apps.core.errors import BadRequest
from apps.core.http.openapi.operation import operation
from apps.core.http.parsers import TextParser
from apps.core.http.renderers import TextRenderer
from apps.keystores import services
from apps.keystores.api import openapi
from apps.keystores.content import Content, Document, Text
from apps.keystores.selectors import Item, version_parts


class KeystoreViewSet(CallerViewSet):
    """Keys of keystores; what they hold is answered bare."""

    required_scopes = {
        "retrieve": "keystore.read",
        "create": "keystore",
        "update": "keystore",
        "destroy": "keystore",
        "search": "keystore.read",
    }
    extra_styles = dict.fromkeys(required_scopes, PROJECT_KEY)
    takes_text = True

    @operation(openapi.RETRIEVE)
    def retrieve(self, request: Request, keystore_id: str, key: str) -> Response:
        """Get what a key holds; a missing key is made with the keystore's structure."""
        self._unless_known(keystore_id, key)
        read = services.get_item if request.method == "HEAD" else services.get_or_create_item
        item = read(self.caller, keystore_id, key)
        self.unless_current(*version_parts(item), modified=item.date_modified)
        return self._shown(item)

    @operation(openapi.CREATE)
    def create(self, request: Request, keystore_id: str, key: str) -> Response:
        """Store a new key; 409 when there is one."""
        return self._shown(services.create_item(self.caller, keystore_id, key, self._content(request)))

    @operation(openapi.UPDATE)
    def update(self, request: Request, keystore_id: str, key: str) -> Response:
        """Store a key in place of what it held; a missing key is made."""
        content = self._content(request)
        return self._shown(services.put_item(self.caller, keystore_id, key, content, precondition=self.precondition()))

    @operation(openapi.DESTROY)
    def destroy(self, request: Request, keystore_id: str, key: str) -> Response:
        """Remove a key."""
        services.delete_item(self.caller, keystore_id, key, precondition=self.precondition())
        return self.answer(None, f"Successfully deleted key {key} in keystore {keystore_id}")

    @operation(openapi.SEARCH)
    def search(self, request: Request, keystore_id: str) -> Response:
        """Find keys by what they hold."""
        body = self.document(request)
        if not isinstance(body, dict):
            raise BadRequest("The body must be an object with select and where.")
        wanted = {name: body.get(name) for name in ("select", "where", "limit", "offset")}
        return self.bare(services.search(self.caller, keystore_id, **wanted))

    def _unless_known(self, keystore_id: str, key: str) -> None:
        """End the call before the document is read, or a key made, when the request's conditions allow no answer."""
        if not self.conditions.for_reads:
            return
        found = services.find_version(self.caller, keystore_id, key)
        if found:
            self.unless_current(*version_parts(found), modified=found.date_modified)
        elif condition := self.precondition():
            condition.check()

    def _shown(self, item: Item) -> Response:
        """In plain text what a RAW keystore keeps to the letter, and JSON as it is written."""
        if self.request.accepted_renderer.media_type == TextRenderer.media_type:
            return self.bare(item.text)
        response = self.bare(item.document)
        if response.data is None:
            response.encoded = item.data.encode()  # type: ignore[attr-defined]
        return response

    def _content(self, request: Request) -> Content:
        """What the body holds; only a text may be empty."""
        if (request.content_type or "").partition(";")[0].strip().lower() == TextParser.media_type:
            return Text(self._text(request))
        source = request._request.body  # before the parser has read the stream
        return Document(self.document(request), source)

    def _text(self, request: Request) -> Any:
        return request.data if int(request.META.get("CONTENT_LENGTH") or 0) else ""
