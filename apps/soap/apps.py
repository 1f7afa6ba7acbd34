from django.apps import AppConfig


class SoapConfig(AppConfig):
    name = "apps.soap"
    label = "soap"
