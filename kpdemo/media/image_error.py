"""The error that all image readers raise."""


class ImageError(ValueError):
    """A picture that cannot be used; the message is for the user, and says what to do next."""


def damaged() -> ImageError:
    """For files that lack pixels, or whose pixels cannot be decoded."""
    return ImageError(
        "The picture is damaged or incomplete; open and save it again, or upload another copy."
    )
