"""The API as an OpenAPI document: what is asked and answered, as data, and the page that shows it."""
