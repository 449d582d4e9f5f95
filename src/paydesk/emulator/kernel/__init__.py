"""What every Stripe endpoint has in common; no object is known here by name."""
