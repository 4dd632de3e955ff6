"""Recovering pictures with a pretrained generator."""
