"""Reports: run directories gathered, grouped by what they share, and compared with the paper. Nothing is run here."""
