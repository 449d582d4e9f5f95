"""The desk's routes and pages, one file per web framework."""
