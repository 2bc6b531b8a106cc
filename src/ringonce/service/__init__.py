"""The dialing service: calls that are dialled once, when they are allowed."""
