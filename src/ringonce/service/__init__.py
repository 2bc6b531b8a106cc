"""The dialing service: intents and batches of them, each dialled once, for its agent, when it is allowed."""
