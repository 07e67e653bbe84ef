"""Every page: what it costs, and what it says when there is little, much or trouble."""
