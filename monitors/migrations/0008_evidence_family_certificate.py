"""Evidence keeps the address family and when the certificate ends. Null columns: nothing is rewritten."""

from django.db import migrations

ADD = "ALTER TABLE monitors_evidence ADD COLUMN family smallint, ADD COLUMN cert_expires_at timestamptz;"
REMOVE = "ALTER TABLE monitors_evidence DROP COLUMN family, DROP COLUMN cert_expires_at;"


class Migration(migrations.Migration):
    dependencies = [("monitors", "0007_confirmation_count")]

    operations = [migrations.RunSQL(ADD, REMOVE)]
