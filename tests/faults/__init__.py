"""Whole installations on servers of their own, broken on purpose; afterwards everything that must hold is looked at."""
