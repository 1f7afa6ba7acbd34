"""Paths of tables and their rows."""

from django.urls import URLPattern

v1: list[URLPattern] = []
