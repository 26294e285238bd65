"""The pages of the admin, a module a subject."""
