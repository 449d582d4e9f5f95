"""The app's own database: our tables in it, and how we read and write them."""
