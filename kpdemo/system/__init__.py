"""The operating system: files that a user names, JSON from outside, forks."""
