"""Training: fits networks to problems in rounds. The only room that imports Lightning."""
