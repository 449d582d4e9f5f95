"""Whole lives on the local Stripe, told through Stripe's official SDKs."""
