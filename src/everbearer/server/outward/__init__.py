"""What the server sends to others: requests for what clients publish, and logout tokens."""
