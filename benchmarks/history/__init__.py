"""How fast a month of history is read over HTTP: of 10,000 monitors with a check a minute."""
