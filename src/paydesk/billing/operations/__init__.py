"""Operations: what whoever runs an app wants to know of it, at a glance, in a graph, and in the night."""
