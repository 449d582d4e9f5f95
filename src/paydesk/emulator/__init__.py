"""The local Stripe: a stateful, offline server that answers as Stripe does."""
