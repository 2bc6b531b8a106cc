"""The guard: what it refuses, why, and until when."""
