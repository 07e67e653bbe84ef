"""Trying passwords: how many are looked at, who is told what, and that nobody is kept out of their own account."""
