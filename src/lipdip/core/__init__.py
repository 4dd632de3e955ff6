"""Values that every other room shares: masks, tickets, seeds, metrics, run directories."""
