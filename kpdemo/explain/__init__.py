"""What goes on inside a net: numbers to look at, and nothing of how they are drawn."""
