"""Apps that synchronise only a part: what is asked, what is withdrawn, and what is only out of scope."""
