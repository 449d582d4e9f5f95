"""A reading room: books to buy, and plans for those who read on."""
