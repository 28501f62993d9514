"""Pictures and films, read and written."""
