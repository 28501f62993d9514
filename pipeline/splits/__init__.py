"""Who stands on which side, what is copied, and the windows that are cut."""
