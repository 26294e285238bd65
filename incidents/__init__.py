"""What it means: rounds, the verdict, transitions, incidents."""
