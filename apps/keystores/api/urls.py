"""Paths of keystores and their keys."""

from django.urls import URLPattern

v1: list[URLPattern] = []
