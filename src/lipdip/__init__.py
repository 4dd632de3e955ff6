"""Lottery image priors: sparse subnetworks that restore one degraded picture as well as the whole network."""

__version__ = "0.1.0"
