"""Where the Designer shows hosted pages."""

from django.urls import re_path

from apps.environments.api.pages import designer_page

urlpatterns = [re_path(r"^page/(?P<key>[0-9a-f]{32})/?\Z", designer_page, name="hosted-page")]
