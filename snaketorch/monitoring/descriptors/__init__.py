"""What of each kind of content is compared: a function a kind, from prepared fields to a profile.

To add one: a module with such a function, and its line in ``snaketorch.monitoring.describe``.
"""
