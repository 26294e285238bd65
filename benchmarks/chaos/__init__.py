"""`make chaos`: faults done to the whole system, and what was lost, told twice or told wrongly."""
