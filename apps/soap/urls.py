"""The path of the SOAP interface."""

from django.urls import re_path

from apps.soap.views import soap

urlpatterns = [re_path(r"^soap/?$", soap, name="soap")]
