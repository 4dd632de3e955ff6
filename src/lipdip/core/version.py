"""The version of lipdip, in one place."""

__version__ = "0.1.0"
