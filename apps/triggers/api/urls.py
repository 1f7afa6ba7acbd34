"""Paths of what starts records: webhook calls, calls of URL triggers."""

from django.urls import re_path

from apps.triggers.api.url_views import UrlTriggerViewSet
from apps.triggers.api.views import WebhookViewSet

v1 = [
    re_path(r"^webhook/(?P<uri>[\x21-\x2e\x30-\x7e]{1,128})/?$", WebhookViewSet.as_view({"post": "receive"})),
    re_path(r"^url/(?P<secret>[\x21-\x2e\x30-\x7e]{1,128})/?$", UrlTriggerViewSet.as_view({"post": "call"})),
]
