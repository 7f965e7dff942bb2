"""Errors that a user can mend: shown as one message, without a traceback."""


class UserError(Exception):
    """Something outside this package is wrong; the message says what, where, and what would be right."""


class DataError(UserError):
    """The data cannot be used."""
