"""The steps from each version of the tables to the next; a new one is a file in `versions`."""
