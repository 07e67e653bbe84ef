"""certdash: a self-hosted dashboard that shows who holds which training certificate."""

__version__ = "0.1.0"
