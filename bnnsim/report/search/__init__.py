"""A search's and a sweep's page."""
