"""The operating system: user-named files, untrusted JSON, forks."""
