"""Paths of data records."""

from typing import Any

from django.urls import re_path

from apps.records.api.queue_views import QueueViewSet
from apps.records.api.search_views import SearchViewSet
from apps.records.api.views import RecordViewSet

_ONE: dict[str, Any] = {"get": "retrieve", "put": "update", "delete": "destroy"}

# The words come first: no record can have one of them as its uuid (services.RESERVED).
v1 = [
    re_path(r"^record/?$", RecordViewSet.as_view({"post": "create", **_ONE})),
    re_path(r"^record/search/?$", SearchViewSet.as_view({"get": "list", "put": "list"})),
    re_path(r"^record/changestatus/?$", QueueViewSet.as_view({"put": "change_status"})),
    re_path(r"^record/movetoflow/?$", QueueViewSet.as_view({"put": "move"})),
    re_path(r"^record/(?P<uuid>[^/\s\x00-\x20\x7f]{1,128})/?$", RecordViewSet.as_view(_ONE)),
]
