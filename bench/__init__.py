"""What ringonce costs, side by side with what else there is: `make bench`."""
