"""What every other room stands on: errors, checks of settings, seeds, metrics, files that are written whole."""
