"""One generator per thing one can do. No socket, clock or lock here: see `ringonce.client.wishes`."""
