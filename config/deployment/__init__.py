"""What an installation of many containers needs first: secrets, and who may do what on the broker."""
