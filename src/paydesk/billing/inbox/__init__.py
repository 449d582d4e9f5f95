"""The inbox: an event from its arrival to the last handler it concerns."""
