"""Paths of keystores and their keys."""

from django.urls import re_path

from apps.keystores.api.views import KeystoreViewSet

v1 = [
    re_path(r"^keystore/(?P<keystore_id>[^/]+)/?$", KeystoreViewSet.as_view({"post": "search"})),
    re_path(
        r"^keystore/(?P<keystore_id>[^/]+)/(?P<key>[^/]+)/?$",
        KeystoreViewSet.as_view({"get": "retrieve", "post": "create", "put": "update", "delete": "destroy"}),
    ),
]
