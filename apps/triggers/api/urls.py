"""Paths of what starts records: webhook calls."""

from django.urls import URLPattern

v1: list[URLPattern] = []
