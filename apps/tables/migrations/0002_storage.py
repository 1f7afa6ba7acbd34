"""The schema of the physical tables, and the extension that finds parts of texts where it may be created."""

from django.db import DatabaseError, migrations, transaction


def create_extension(apps, schema_editor):
    """Without the right to create it tables work, and searches for parts of texts read whole tables."""
    try:
        with transaction.atomic(), schema_editor.connection.cursor() as cursor:
            cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    except DatabaseError as error:
        print(f"\n  pg_trgm is not available, contains and ends_with will not be indexed: {error}")


class Migration(migrations.Migration):
    dependencies = [("tables", "0001_initial")]

    operations = [
        migrations.RunSQL("CREATE SCHEMA IF NOT EXISTS user_tables", "DROP SCHEMA user_tables CASCADE"),
        migrations.RunPython(create_extension, migrations.RunPython.noop),
    ]
