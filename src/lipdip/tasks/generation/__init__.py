"""Training a GAN in rounds."""
