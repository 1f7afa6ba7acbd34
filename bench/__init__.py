"""Measurements: ratios inside one run, contender and floor taking turns; ``python -m bench.NAME``."""
