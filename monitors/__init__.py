"""What and when: monitors and their state, the claim of what is due, dispatch, evidence."""
