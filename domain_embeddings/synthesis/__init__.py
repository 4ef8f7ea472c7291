"""Training queries made from passages."""
