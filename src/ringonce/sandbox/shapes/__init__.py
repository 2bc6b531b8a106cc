"""How the platform spells things on the wire: the sandbox's own shapes, shared with nothing else."""
