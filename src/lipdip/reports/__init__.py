"""Reports: run directories gathered, grouped by what they share, and laid beside the paper. Nothing is run here."""
