"""Pruning: which weights may go (scope), how they are scored (one file per rule), and one exact cut (top_k)."""
