"""The lottery: how fast to prune, and which ticket wins. Plain Python over counts and scores."""
