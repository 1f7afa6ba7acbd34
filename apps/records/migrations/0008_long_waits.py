from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('records', '0007_held_and_counters'),
    ]

    operations = [
        migrations.AlterField(
            model_name='recordstep',
            name='ms',
            field=models.BigIntegerField(verbose_name='milliseconds'),
        ),
    ]
