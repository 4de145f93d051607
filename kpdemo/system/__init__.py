"""What deals with the operating system: files that a user names, JSON from outside, forks."""
