"""Letters: a newsletter with members, patrons, and an archive that is sold as a book."""
