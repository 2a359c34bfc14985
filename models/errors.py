"""Errors that are the user's to mend: shown as one clear message, never as a traceback."""


class UserError(Exception):
    """Bad arguments, configuration or data: the message says what, where, why and what to do. Exit code 2."""
