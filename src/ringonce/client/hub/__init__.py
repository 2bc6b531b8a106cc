"""The notification hub: events of many agents' calls on few channels, for all followers at once."""
