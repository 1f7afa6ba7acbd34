"""Websites and hosted pages over HTTP."""
