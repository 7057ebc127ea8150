"""Launch queues: what waits in them, the settings that it is started with, and the agents that take it."""
