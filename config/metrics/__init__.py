"""What Prometheus may read: of the installation, and of an account's monitors."""
