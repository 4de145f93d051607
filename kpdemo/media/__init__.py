"""Images and videos: reading them safely, drawing on them, writing them."""
