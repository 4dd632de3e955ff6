"""The lottery: how fast to prune, which ticket wins, and what tickets have in common."""
