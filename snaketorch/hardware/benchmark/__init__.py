"""What the device at hand can do, measured: ``python -m snaketorch benchmark-device``."""
