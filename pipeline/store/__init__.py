"""Finished work: items by content, packed parts, run records."""
