"""How to look: pure measurement, with no Django and no database."""

VERSION = "0.1"
USER_AGENT = f"Upquorum/{VERSION}"
