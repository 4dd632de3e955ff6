"""Restoring pictures with a network that is fitted to them."""
