"""Who asks: accounts, API keys and limits."""
