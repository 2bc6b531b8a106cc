"""Those who are measured, each in a process of its own."""
