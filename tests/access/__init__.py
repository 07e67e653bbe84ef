"""Who may do what, on every address: what pages answer, what forms change, and what nobody is told."""
