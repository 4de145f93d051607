"""Scenes with known faces for the detection benchmark, made of photos in installed packages."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import cv2
import matplotlib
import numpy as np
import skimage
from PIL import Image

# Pictures of scikit-image that show no human face.
EMPTY = (
    "brick.png",
    "cell.png",
    "chelsea.png",
    "clock_motion.png",
    "coffee.png",
    "coins.png",
    "grass.png",
    "gravel.png",
    "horse.png",
    "hubble_deep_field.jpg",
    "motorcycle_left.png",
    "page.png",
    "retina.jpg",
    "rocket.jpg",
)
GREY = (128, 134, 140)
TURNS = tuple(range(0, 360, 30))


@dataclass(frozen=True, eq=False)
class Head:
    """A head cut out of a photo: its pixels, and its face's middle and width in them."""

    pixels: np.ndarray
    x: float
    y: float
    width: float


@dataclass(frozen=True, eq=False)
class PastedFace:
    """A head in a scene: `matrix` `(2, 3)` maps the head's pixels to the scene's."""

    head: int
    x: float
    y: float
    width: float
    turn: float
    matrix: np.ndarray


@dataclass(eq=False)
class Scene:
    """A picture `(H, W, 3)` uint8 RGB and the faces pasted into it.

    Faces that are `altered`, by a cut or a texture, are not the same as those alone.
    """

    name: str
    pixels: np.ndarray
    faces: list[PastedFace] = field(default_factory=list)
    altered: bool = False

    @classmethod
    def plain(cls, name: str, width: int, height: int) -> "Scene":
        return cls(name, np.full((height, width, 3), GREY, np.uint8))

    def paste(self, head: int, x: float, y: float, width: float, turn: float = 0.0) -> None:
        """Put the face of a head, `width` pixels wide and turned clockwise, at a place."""
        source = heads()[head]
        scale = width / source.width
        # Averaged down first: the warp only samples.
        size = [max(1, round(side * scale)) for side in source.pixels.shape[1::-1]]
        picture = cv2.resize(source.pixels, size, interpolation=cv2.INTER_AREA)
        shrink = np.array(size) / source.pixels.shape[1::-1]
        middle = (np.array([source.x, source.y]) + 0.5) * shrink - 0.5
        turned = cv2.getRotationMatrix2D((0, 0), -turn, 1)[:, :2]
        warp = np.column_stack([turned, np.array([x, y]) - turned @ middle])
        # Only where the head lands, so that a scene of 40 megapixels is made quickly.
        corners = np.array([[0, 0], [size[0], 0], [0, size[1]], size]) @ turned.T + warp[:, 2]
        low = np.maximum(np.floor(corners.min(0)).astype(int) - 2, 0)
        high = np.minimum(np.ceil(corners.max(0)).astype(int) + 2, self.pixels.shape[1::-1])
        local = warp - np.column_stack([np.zeros((2, 2)), low])
        area = self.pixels[low[1] : high[1], low[0] : high[0]]
        span = area.shape[1::-1]
        mask = cv2.warpAffine(np.full(size[::-1], 255, np.uint8), local, span) > 250
        area[mask] = cv2.warpAffine(picture, local, span, borderMode=cv2.BORDER_REPLICATE)[mask]
        linear = turned * shrink
        matrix = np.column_stack([linear, [x, y] - linear @ [source.x, source.y]])
        self.faces.append(PastedFace(head, x, y, width, turn, matrix))


@cache
def heads() -> tuple[Head, ...]:
    """Grace Hopper, Eileen Collins, and the mirror images of both."""
    hopper = _picture(Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg")
    astronaut = _picture(_package("astronaut.png"))
    originals = (
        Head(hopper[20:440, 100:420], 162, 209, 192),
        Head(astronaut[0:260, 100:340], 122, 117, 101),
    )
    mirrored = (
        Head(np.ascontiguousarray(h.pixels[:, ::-1]), h.pixels.shape[1] - 1 - h.x, h.y, h.width)
        for h in originals
    )
    return *originals, *mirrored


def alone(head: int, width: float) -> Scene:
    """One upright face in the middle of a plain picture."""
    side = max(96, round(5 * width))
    scene = Scene.plain("alone", side, side)
    scene.paste(head, side / 2, side / 2, width)
    return scene


def sizes(widths: tuple[int, ...] = (24, 32, 40, 48, 64, 96, 160, 300)) -> Iterator[Scene]:
    """Rows of upright faces of one size."""
    for width in widths:
        scene = Scene.plain(f"{width} px", 15 * width, 8 * width)
        for k in range(8):
            x, y = (2 + k % 4 * 3.5) * width, (2 + k // 4 * 4) * width
            scene.paste(k % 4, x + 0.37 * k, y, width)
        yield scene


def turns(widths: tuple[int, ...] = (40, 100)) -> Iterator[Scene]:
    """Every turn beside the others."""
    for width in widths:
        scene = Scene.plain(f"12 turns, {width} px", 18 * width, 9 * width)
        for k, turn in enumerate(TURNS):
            scene.paste(k % 4, (2 + k % 6 * 2.8) * width, (2.2 + k // 6 * 4.5) * width, width, turn)
        yield scene


def mixtures() -> Iterator[Scene]:
    """One big face beside small ones, some of them turned."""
    for k, (big, small) in enumerate(((500, 45), (420, 60), (600, 40))):
        scene = Scene.plain(f"{big} px beside 8 of {small} px", 2000, 1300)
        scene.paste(k, 650, 600, big, (0, 180, 90)[k])
        for number in range(8):
            x, y = 1350 + number % 2 * 330, 200 + number // 2 * 290
            scene.paste(number % 4, x, y, small, TURNS[(5 * number + k) % 12])
        yield scene


def overlaps() -> Iterator[Scene]:
    """Smaller faces on the cheek of a larger one, and faces cheek to cheek."""
    for share in (0.3, 0.4, 0.5, 0.7):
        scene = Scene.plain(f"overlap, {share:.0%}", 900, 900)
        scene.paste(0, 450, 400, 240)
        scene.paste(1, 450 + 115, 400 + 140 + 60 * share, 240 * share)
        yield scene


def panoramas() -> Iterator[Scene]:
    """Four faces of 150 pixels in a very wide and a very tall picture."""
    for name, width, height in (("panorama", 12000, 300), ("long screenshot", 700, 12000)):
        scene = Scene.plain(name, width, height)
        for k in range(4):
            place = 700 + 3200 * k
            x, y = (place, 150) if width > height else (350, place)
            scene.paste(k, x, y, 150)
        yield scene


def textures() -> Iterator[Scene]:
    """A portrait dithered, printed, noisy, and pressed hard as JPEG."""
    scene = Scene.plain("portrait", 1024, 1200)
    scene.paste(0, 500, 560, 380)
    grey = scene.pixels.mean(2)
    y, x = np.mgrid[:1200, :1024] * (2 * np.pi / 8)
    screen = (np.cos(x + y) * np.cos(x - y) + 1) / 2
    noise = np.random.default_rng(1).normal(0, 120, scene.pixels.shape)
    dither = np.asarray(Image.fromarray(scene.pixels).convert("1").convert("L"))
    jpeg = cv2.imencode(".jpg", scene.pixels, (cv2.IMWRITE_JPEG_QUALITY, 5))[1]
    pictures = {
        "dithered": np.repeat(dither[..., None], 3, 2),
        "newsprint": np.repeat((255 * (grey / 255 > screen)).astype(np.uint8)[..., None], 3, 2),
        "noisy": np.clip(scene.pixels + noise, 0, 255).astype(np.uint8),
        "JPEG of quality 5": np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR)),
    }
    for name, picture in pictures.items():
        yield Scene(name, picture, scene.faces, altered=True)


def huge() -> Iterator[Scene]:
    """40 megapixels with 24 faces of 40 to 600 pixels, every second one turned."""
    scene = Scene.plain("40 MP, 24 faces", 7300, 5470)
    for k, width in enumerate(np.geomspace(40, 600, 24)):
        turn = TURNS[5 * k % 12] if k % 2 else 0
        scene.paste(k % 4, 600 + k % 6 * 1200, 650 + k // 6 * 1350, float(width), turn)
    yield scene


def cuts() -> Iterator[Scene]:
    """Close-ups: upright faces that fill the picture or are cut by its edges."""
    for number in range(4):
        width = 260
        for share in (0.7, 0.85, 1.0):
            for dx, dy in ((0, 0), (-0.2, 0), (0.2, 0), (0, -0.15), (0, 0.2)):
                side = round(width / share)
                scene = Scene.plain(f"cut {number}, {share}, {dx}, {dy}", side, side)
                scene.paste(number, side / 2 + dx * width, side / 2 + dy * width, width)
                scene.altered = True
                yield scene


def empty() -> Iterator[Scene]:
    """Pictures without faces."""
    for name in EMPTY:
        yield Scene(name, _picture(_package(name)))


def _package(name: str) -> Path:
    return Path(skimage.__file__).parent / "data" / name


def _picture(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB"))
