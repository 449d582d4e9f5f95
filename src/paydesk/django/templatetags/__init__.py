"""Where Django looks for ours."""
