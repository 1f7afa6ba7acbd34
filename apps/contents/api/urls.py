"""Where the Designer shows websites."""

from django.urls import re_path

from apps.contents.api.views import preview

urlpatterns = [re_path(r"^site/(?P<key>[0-9a-f]{32})/(?P<rest>.*)\Z", preview, name="website-preview")]
