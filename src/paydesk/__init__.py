"""paydesk: Stripe wired into a Python web app, and a local Stripe to prove it against."""
