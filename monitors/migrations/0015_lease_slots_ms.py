"""The slots of a lease as Unix milliseconds, as messages have them."""

import django.contrib.postgres.fields
from django.db import migrations, models

CONVERT = """
UPDATE monitors_lease SET slots_ms = ARRAY(
    SELECT (extract(epoch FROM slot) * 1000)::bigint
    FROM unnest(scheduled_ats) WITH ORDINALITY AS slots (slot, place) ORDER BY place
)
"""

# A lease lives for half a minute: to compress it took longer than all else that is done with it.
AS_IT_IS = """
ALTER TABLE monitors_lease
    ALTER COLUMN monitor_ids SET STORAGE EXTERNAL, ALTER COLUMN slots_ms SET STORAGE EXTERNAL
"""


class Migration(migrations.Migration):
    dependencies = [("monitors", "0014_muted_events")]

    operations = [
        migrations.AddField(
            model_name="lease",
            name="slots_ms",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.BigIntegerField(), default=list, size=None
            ),
            preserve_default=False,
        ),
        migrations.RunSQL(CONVERT, migrations.RunSQL.noop),
        migrations.RemoveField(model_name="lease", name="scheduled_ats"),
        migrations.RunSQL(AS_IT_IS, migrations.RunSQL.noop),
    ]
