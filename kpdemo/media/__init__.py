"""Pictures and films: reading them safely, drawing on them, writing them."""
