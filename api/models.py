"""What the operator of this installation tells everybody."""

from __future__ import annotations

from django.db import models


class NewsItem(models.Model):
    """An announcement, such as of maintenance, in the open feed from `published_at` on."""

    title = models.CharField(max_length=255)
    text = models.TextField()
    """Plain text; a blank line begins a paragraph."""
    published_at = models.DateTimeField(db_index=True)
    """In the future: not shown before then."""

    def __str__(self) -> str:
        return self.title
