"""What the commands of `pallor` do; flows.cli holds what can be asked. One file a subject."""
