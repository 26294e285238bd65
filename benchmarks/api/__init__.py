"""`make bench-api`: what a request costs, through the real web server."""
