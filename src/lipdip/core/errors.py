"""The one exception that a user is meant to read."""


class UserError(Exception):
    """Something the user can put right; commands print it as one line and exit with code 2."""
