from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_feed_tokens")]

    operations = [
        migrations.AddField("account", "monitor_limit", models.PositiveIntegerField(default=50)),
        migrations.AddField("account", "key_limit", models.PositiveIntegerField(default=10)),
        migrations.AddField(
            "account", "requests_per_minute", models.PositiveIntegerField(blank=True, null=True)
        ),
    ]
