"""The mirror: Stripe's objects as rows of the app's database."""
