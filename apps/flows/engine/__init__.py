"""The pure flow engine: the `flow/1` notation, its expression language and the walker that moves records along.

It knows neither Django nor Celery nor the database; what it needs of the world is handed in as a ``Host``.
"""
