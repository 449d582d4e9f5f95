"""The relay: facts, handed on to other services through NATS JetStream. The table stays the truth."""
