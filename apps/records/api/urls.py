"""Paths of data records."""

from django.urls import re_path

from apps.records.api.views import RecordViewSet

v1 = [
    re_path(r"^record/?$", RecordViewSet.as_view({"post": "create", "get": "retrieve"})),
    re_path(r"^record/(?P<uuid>[\x21-\x2e\x30-\x7e]{1,128})/?$", RecordViewSet.as_view({"get": "retrieve"})),
]
