"""An erased learner: gone from all that is stored, and out of whatever comes, until an owner lifts it."""
