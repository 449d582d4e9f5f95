"""What readers have."""
