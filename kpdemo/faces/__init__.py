"""Faces in photos and videos: detection, tracking and crops."""
