"""The agent on a customer's own server: no Django and no broker, HTTPS out and nothing in."""
