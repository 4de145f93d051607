# The page on a machine of your own:
#   docker build -t kpdemo . && docker run --rm --init -p 7860:7860 kpdemo
# Without CUDA, which saves some 4 GB: --build-arg TORCH_INDEX=URL, the index of PyTorch's
# processor-only builds that pytorch.org/get-started names.
FROM python:3.12-slim-bookworm

RUN useradd --create-home kpdemo
WORKDIR /home/kpdemo/app

# Libraries that MediaPipe and OpenCV load; OpenCV's GLib is in the Space's image already.
COPY packages.txt .
RUN apt-get update \
    && xargs -a packages.txt apt-get install -y --no-install-recommends libglib2.0-0 \
    && rm -rf /var/lib/apt/lists/*

# From its own index, torch comes first, or pip would take the build with CUDA; requirements.txt asks
# for the same versions.
ARG TORCH_INDEX
COPY requirements.txt .
RUN if [ -n "$TORCH_INDEX" ]; then \
        grep -E '^(torch|torchvision)==' requirements.txt | cut -d ' ' -f 1 > torch.txt \
        && pip install --no-cache-dir --index-url "$TORCH_INDEX" -r torch.txt; \
    fi \
    && pip install --no-cache-dir -r requirements.txt

COPY app.py LICENSE ./
COPY kpdemo kpdemo
COPY weights weights

USER kpdemo
ENV GRADIO_SERVER_NAME=0.0.0.0 GRADIO_SERVER_PORT=7860
EXPOSE 7860
CMD ["python", "app.py"]
