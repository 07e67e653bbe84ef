"""Pages with their filters, kept under a name: whose they are, where they lead, and whom they are told."""
