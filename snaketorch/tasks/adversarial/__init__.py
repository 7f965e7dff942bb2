"""What adversarial training is made of: losses, and measures of what it makes."""
