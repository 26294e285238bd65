"""Faults done to the real system, and how truly and how soon it tells of them: `make accuracy`."""
