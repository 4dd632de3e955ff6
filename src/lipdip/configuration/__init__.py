"""Configuration: from what Hydra composed to objects that are checked and ready."""
