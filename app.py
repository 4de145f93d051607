"""The Space's entry point: `python app.py` starts the page."""

from kpdemo.runtime import serve

if __name__ == "__main__":
    serve()
