"""Training a classifier in rounds."""
