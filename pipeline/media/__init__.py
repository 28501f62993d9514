"""The doors for pictures and films of anybody: what comes through looks as a person sees it."""
