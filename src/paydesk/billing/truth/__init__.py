"""Truth on demand: what never arrived is fetched, and the mirror is held against Stripe."""
