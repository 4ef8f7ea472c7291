"""Hard negatives, losses, fine-tuning."""
