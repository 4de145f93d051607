"""From a photo to its faces: detection, tracking, and the crops around them."""
