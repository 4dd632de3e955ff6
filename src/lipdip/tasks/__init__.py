"""Kinds of experiments, one folder each: its settings, its LightningModule, its rows and words, its assembly."""
