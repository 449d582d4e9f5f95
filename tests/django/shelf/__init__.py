"""The app of the Django tests: what somebody has bought stands on a shelf."""
