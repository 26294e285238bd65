"""One machine with nothing but Python: embedded PostgreSQL and Redis, and all processes under a manager."""
