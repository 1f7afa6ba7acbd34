from django.apps import AppConfig


class KeystoresConfig(AppConfig):
    name = "apps.keystores"
    label = "keystores"
