"""What commands say as JSON where no other room has a record of it (docs/json.md)."""
