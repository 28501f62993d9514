"""Networks fitted on the training side."""
