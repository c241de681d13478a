"""An engine's page."""
