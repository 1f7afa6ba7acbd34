"""Paths of flow diagrams."""

from django.urls import re_path

from apps.flows.api.views import FlowViewSet

v1 = [
    re_path(r"^flowdiagram/?$", FlowViewSet.as_view({"get": "retrieve"})),
    re_path(r"^changeflowstatus/?$", FlowViewSet.as_view({"put": "change_status"})),
]
