"""`python -m kpdemo.benchmark [KIND] [OUT.json]`: measure, and keep the figures."""

import argparse
import json
import sys
from importlib import import_module
from pathlib import Path

from kpdemo.engine.photos import FolderError
from kpdemo.keypoints.annotations import TruthError
from kpdemo.models import model_folder
from kpdemo.system import files

# Imported on demand: the page benchmarks need Playwright, the archive's Ray.
KINDS = {
    "speed": "measure_all",
    "page": "measure",
    "faces": "measure",
    "visitors": "measure",
    "browser": "measure",
    "archive": "measure",
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m kpdemo.benchmark", description=__doc__)
    parser.add_argument("words", nargs="*", metavar=f"[{'|'.join(KINDS)}] [OUT.json]")
    parser.add_argument(
        "--faces",
        type=Path,
        metavar="FOLDER",
        help="of browser: labelled pictures, for the errors; of archive: its pictures",
    )
    parser.add_argument("--photos", type=int, metavar="N", help="of archive (default: 2000)")
    options = parser.parse_intermixed_args()
    words = options.words
    kind = words.pop(0) if words and words[0] in KINDS else "speed"
    if len(words) > 1:
        parser.error("name one output")
    if options.faces and kind not in ("browser", "archive"):
        parser.error("--faces is for browser and archive")
    if options.photos and kind != "archive":
        parser.error("--photos is for archive")
    outputs = [Path(word) for word in words]
    files.check_outputs(outputs)
    module = import_module(f"kpdemo.benchmark.{kind}")
    try:
        chosen = {"faces": options.faces, "photos": options.photos}
        arguments = {name: value for name, value in chosen.items() if value}
        measured = getattr(module, KINDS[kind])(**arguments)
    except (FolderError, RuntimeError, TruthError) as error:
        sys.exit(str(error))
    print(json.dumps(measured, indent=1))
    for output in outputs:
        model_folder.write_json(output, measured)


if __name__ == "__main__":
    main()
