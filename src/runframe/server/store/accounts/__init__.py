"""People and teams: who there is, what opens the store for them, and what they may change."""
