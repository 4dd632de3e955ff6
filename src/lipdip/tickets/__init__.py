"""Tickets: masks, ticket files, redrawing weights from a seed, controls, overlap, transfer to another network."""
