"""What the shelf has been."""
