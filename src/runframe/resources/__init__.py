"""The nouns: what a W&B server holds, as objects and as columns."""
