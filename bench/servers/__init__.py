"""What the contenders talk to, each in a process of its own."""
