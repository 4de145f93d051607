"""Starts `app.py` of the current folder, opens the page, and has a photo compared.

Its arguments are the models that must answer. Run by `train.publish.space_check`, shut off from the
network: only this machine can be asked.
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
            while not _is_there():
                if app.poll() is not None:
                    sys.exit(f"app.py ended with status {app.returncode}.")
                time.sleep(0.2)
            waited = time.monotonic() - started
            client = Client(URL, verbose=False)
            result = client.predict(handle_file(PHOTO), api_name="/compare")
            if not result["faces"]:
                sys.exit("The app found no face in a portrait.")
            answers = result["faces"][0]["models"]
            if silent := [name for name in sys.argv[1:] if name not in answers]:
                why = " ".join(result["unavailable"].values())
                sys.exit(f"On a portrait, there was no answer of {', '.join(silent)}. {why}")
            print(
                f"The page came after {waited:.1f} s, and {', '.join(answers)} answered on a photo."
            )
        finally:
            app.terminate()


def _is_there() -> bool:
    try:
        return urllib.request.urlopen(URL, timeout=5).status == 200
    except (urllib.error.URLError, OSError):
        return False


if __name__ == "__main__":
    main()
