"""What the rules ask: specs, code digests, resources, targets. Pure functions of the configuration."""
