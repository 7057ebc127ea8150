"""Launch queues: what runs in them are started with, and the runs that wait there."""
