"""The data sets: content, terms, home page, and their folders."""

from collections.abc import Callable, Mapping, Sized
from dataclasses import dataclass
from pathlib import Path

from train.data.sources import bioid, ibug, imm, kaggle, ytf
from train.data.sources.download import Archive


@dataclass(frozen=True)
class DataSet:
    """One data set. `folder` is under the data root; `contents` reads its parts.

    `by_hand` says how to get it manually; `archives` is empty where an account is needed.
    """

    title: str
    what: str
    terms: str
    home: str
    folder: str
    contents: Mapping[str, Callable[[Path], Sized]]
    by_hand: str
    archives: tuple[Archive, ...] = ()


_IBUG = "https://ibug.doc.ic.ac.uk/download/annotations"
_IMM = "http://www2.imm.dtu.dk/~aam/datasets/imm_face_db.tar.gz"
_FAU = "https://ftp.uni-erlangen.de/pub/facedb"
_BIOID = "https://www.bioid.com/uploads"

CATALOG: dict[str, DataSet] = {
    "300w": DataSet(
        title="300-W (AFW, HELEN, LFPW)",
        what="Faces in the wild, 68 points (ibug-68); the test sets of HELEN and LFPW are the "
        "common test set, for `evaluate` alone.",
        terms="Research, not commercial; cite Sagonas et al. 2013.",
        home="https://ibug.doc.ic.ac.uk/resources/facial-point-annotations/",
        folder="300w",
        contents={"training faces": ibug.train, "test faces": ibug.common},
        by_hand="Unpack afw.zip, helen.zip and lfpw.zip into afw, helen and lfpw.",
        archives=tuple(
            Archive(f"300w/{part}", (f"{_IBUG}/{part}.zip",)) for part in ("afw", "helen", "lfpw")
        ),
    ),
    "imm": DataSet(
        title="IMM face database",
        what="40 people in 6 poses, 640×480, 58 points (imm-58); persons 33 to 40 validate.",
        terms="Free for education and research; cite Nordstrøm et al. 2004.",
        home="http://www2.imm.dtu.dk/pubdb/pubs/3160-full.html",
        folder="imm",
        contents={"training faces": imm.train, "validation faces": imm.validation},
        by_hand="Unpack imm_face_db.tar.gz there.",
        archives=(Archive("imm", (_IMM, f"https://web.archive.org/web/20210305094647id_/{_IMM}")),),
    ),
    "bioid": DataSet(
        title="BioID face database",
        what="1,521 grey frontal pictures of 23 people, the FGnet markup of 20 points (bioid-20).",
        terms="Research.",
        home="https://www.bioid.com/face-database/",
        folder="bioid",
        contents={"faces": bioid.read},
        by_hand="Unpack BioID-FaceDatabase-V1.2.zip (pictures) and bioid_pts.zip (points) there.",
        archives=tuple(
            Archive(f"bioid/{part}", (f"{_BIOID}/{name}", f"{_FAU}/{name}"))
            for part, name in (
                ("pictures", "BioID-FaceDatabase-V1.2.zip"),
                ("points_20", "bioid_pts.zip"),
            )
        ),
    ),
    "ytf": DataSet(
        title="YouTube Faces frames",
        what="Video frames with 68 machine-made points (ibug-68), good for pre-training; both "
        "parts show the same people.",
        terms="Research; cite Wolf et al. 2011.",
        home="https://www.cs.tau.ac.il/~wolf/ytfaces/",
        folder="ytf",
        contents={"faces": ytf.train},
        by_hand="Unpack train-test-data.zip there.",
        archives=(
            Archive(
                "ytf",
                (
                    "https://s3.amazonaws.com/video.udacity-data.com/topher/2018/May/"
                    "5aea1b91_train-test-data/train-test-data.zip",
                ),
            ),
        ),
    ),
    "kaggle": DataSet(
        title="Kaggle Facial Keypoints Detection",
        what="7,049 grey pictures of 96×96 with up to 15 points (kaggle-15), most of them with "
        "labels missing, and 1,783 to predict.",
        terms="The competition's rules, which an account must accept.",
        home="https://www.kaggle.com/c/facial-keypoints-detection",
        folder="kaggle",
        contents={
            "training faces": kaggle.train,
            "test pictures": kaggle.test_pictures,
            "label rows": kaggle.missing_pattern,
        },
        by_hand="Accept the rules on the competition's page, run `kaggle competitions download -c "
        "facial-keypoints-detection`, unpack it there, and training.zip and test.zip inside it "
        "too, so that training.csv, test.csv and IdLookupTable.csv lie there.",
    ),
}
