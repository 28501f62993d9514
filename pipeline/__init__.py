"""The stages of the line as plain functions on plain records."""
