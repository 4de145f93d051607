# The page on a machine of your own:
#   docker build -t kpdemo . && docker run --rm --init -p 7860:7860 kpdemo
# Without CUDA, which saves some 4 GB: --secret id=pip,src=pip.conf, a configuration of pip with
# PyTorch's processor-only builds (pytorch.org/get-started) as a further source, which pip prefers.
FROM python:3.12-slim-bookworm

RUN useradd --create-home kpdemo
WORKDIR /home/kpdemo/app

# Libraries that MediaPipe and OpenCV load; OpenCV's GLib is in the Space's image already.
COPY packages.txt .
RUN apt-get update \
    && xargs -a packages.txt apt-get install -y --no-install-recommends libglib2.0-0 \
    && rm -rf /var/lib/apt/lists/*

COPY requirements.txt .
RUN --mount=type=secret,id=pip,target=/etc/pip.conf \
    pip install --no-cache-dir -r requirements.txt

COPY app.py LICENSE ./
COPY kpdemo kpdemo
COPY weights weights

USER kpdemo
ENV GRADIO_SERVER_NAME=0.0.0.0 GRADIO_SERVER_PORT=7860
EXPOSE 7860
CMD ["python", "app.py"]
