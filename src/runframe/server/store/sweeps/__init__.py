"""Sweeps: what is searched, how trials are chosen, and the agents that run them."""
