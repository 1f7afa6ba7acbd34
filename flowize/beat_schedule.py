"""How often beat says what may be due."""

CELERY_BEAT_SCHEDULE = {
    # An expired tick is dropped unread, so ticks piled up while no worker ran cost nothing.
    "drain": {"task": "records.drain", "schedule": 1.0, "options": {"expires": 5}},
    "fill-data-fields": {"task": "records.fill_data_fields", "schedule": 5.0, "options": {"expires": 5}},
    "wake-forsaken": {"task": "records.wake_forsaken", "schedule": 60.0, "options": {"expires": 60}},
    "tend-tables": {"task": "tables.tend", "schedule": 5.0, "options": {"expires": 5}},
    "run-schedules": {"task": "triggers.run_schedules", "schedule": 1.0, "options": {"expires": 5}},
    "run-batches": {"task": "triggers.run_batches", "schedule": 2.0, "options": {"expires": 5}},
    "clear-expired-tokens": {"task": "applications.clear_expired_tokens", "schedule": 3600.0},
    "clear-given-answers": {"task": "applications.clear_given_answers", "schedule": 3600.0},
    "clear-old-windows": {"task": "applications.clear_old_windows", "schedule": 3600.0},
    "work-on-environments": {"task": "environments.work", "schedule": 2.0, "options": {"expires": 5}},
    "warn-of-expiry": {"task": "environments.warn_of_expiry", "schedule": 3600.0},
    "measure-environments": {"task": "environments.measure", "schedule": 60.0, "options": {"expires": 60}},
    "clear-old-events": {"task": "webhooks.clear_old_events", "schedule": 3600.0},
    "clear-unused-contents": {"task": "contents.clear_unused", "schedule": 3600.0},
}
