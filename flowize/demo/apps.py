from django.apps import AppConfig


class DemoConfig(AppConfig):
    name = "flowize.demo"
    label = "demo"
