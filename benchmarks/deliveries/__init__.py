"""Deliveries under fire: receivers that misbehave, a worker that is killed, and what became of it all."""
