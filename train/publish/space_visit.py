"""Start `app.py` of the current folder, open the page, and compare a photo.

The arguments are the models that must have predictions. Run by `train.publish.space_check`, without
a network: only this machine can be reached.
"""

import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import matplotlib
from gradio_client import Client, handle_file

URL = "http://127.0.0.1:7860"
PHOTO = Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"


def main() -> None:
    started = time.monotonic()
    with subprocess.Popen([sys.executable, "-B", "app.py"], stdout=sys.stderr) as app:
        try:
            while not _responds():
                if app.poll() is not None:
                    sys.exit(f"app.py ended with status {app.returncode}.")
                time.sleep(0.2)
            seconds = time.monotonic() - started
            client = Client(URL, verbose=False)
            result = client.predict(handle_file(PHOTO), api_name="/compare")
            if not result["faces"]:
                sys.exit("The app detected no face in a portrait.")
            predictions = result["faces"][0]["models"]
            if missing := [name for name in sys.argv[1:] if name not in predictions]:
                why = " ".join(result["unavailable"].values())
                sys.exit(f"No prediction of {', '.join(missing)} on a portrait. {why}")
            print(
                f"The page was ready after {seconds:.1f} s; on a photo, {', '.join(predictions)} "
                "predicted keypoints."
            )
        finally:
            app.terminate()


def _responds() -> bool:
    try:
        return urllib.request.urlopen(URL, timeout=5).status == 200
    except (urllib.error.URLError, OSError):
        return False


if __name__ == "__main__":
    main()
