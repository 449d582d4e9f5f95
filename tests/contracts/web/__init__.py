"""What every web framework's adapter obeys: same routes, same refusals, same pages, same guarantees."""
