"""Runs as they are stored: the directory and its lock, rows, reading, matching."""
