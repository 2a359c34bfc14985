# The image of every step on Vertex and Kubeflow Pipelines, and of Beam's workers on Dataflow, Flink and Spark.
#
#   docker build --target worker -t REGISTRY/swara:TAG .          every step, with Chromium and Node for BrowserValidator
#   docker build --target gpu -t REGISTRY/swara:TAG-gpu .         the same, and what TensorFlow loads on an NVIDIA GPU
#
# The set of packages is requirements/new, for pipelines that are compiled and Beam jobs that are started with it. With the old set:
#
#   docker build --build-arg STACK=old --build-arg PYTHON=3.10 --build-arg BEAM=2.65.0 --build-arg PYTHON_DIGEST= --build-arg BEAM_DIGEST= --target worker -t REGISTRY/swara:TAG .
#
# Versions: Beam's is that of requirements/STACK/run.txt. Digests: `make pins` resolves them; requirements/unpinned.txt has what has none.

ARG STACK=new
ARG PYTHON=3.13
ARG BEAM=2.77.0
ARG PYTHON_DIGEST=
ARG BEAM_DIGEST=
ARG NODE_DIGEST=

FROM apache/beam_python${PYTHON}_sdk:${BEAM}${BEAM_DIGEST} AS beam

FROM node:20-bookworm-slim${NODE_DIGEST} AS web
WORKDIR /opt/swara/web
COPY web/package.json web/package-lock.json ./
ENV PUPPETEER_SKIP_DOWNLOAD=1 PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1
RUN npm ci --no-audit --no-fund --loglevel=error
COPY web/ ./
RUN npm run --silent build:validator

FROM python:${PYTHON}-slim-trixie${PYTHON_DIGEST} AS worker
ARG STACK
RUN apt-get update \
    && apt-get install --yes --no-install-recommends chromium libgomp1 libsndfile1 \
    && rm -rf /var/lib/apt/lists/*
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /opt/swara
COPY requirements/ requirements/
# Two packages of the old set come as sources only: while they are installed there is a compiler.
RUN if [ "${STACK}" = old ]; then apt-get update && apt-get install --yes --no-install-recommends g++; fi \
    && pip install --quiet --require-hashes --no-deps -r requirements/uv.txt \
    && uv pip install --system --quiet --require-hashes --no-deps -r requirements/${STACK}/run.txt \
    && if [ "${STACK}" = old ]; then apt-get purge --yes --auto-remove g++; fi \
    && rm -rf /var/lib/apt/lists/*
COPY --from=beam /opt/apache/beam /opt/apache/beam
COPY --from=web /usr/local/bin/node /usr/local/bin/node
COPY --from=web /opt/swara/web web
COPY setup.py pyproject.toml local_runner.py kubeflow_runner.py LICENSE ./
COPY bundles/ bundles/
COPY common/ common/
COPY components/ components/
COPY configs/ configs/
COPY data/ data/
COPY models/ models/
COPY pipeline/ pipeline/
COPY player/ player/
ENV PYTHONPATH=/opt/swara SWARA_CHROMIUM=/usr/bin/chromium TF_CPP_MIN_LOG_LEVEL=2
# Nothing here needs root: a step writes to the pipeline root and to /tmp, a Beam worker makes an environment in its folder.
RUN useradd --uid 10001 --create-home swara && install --directory --owner swara /opt/apache/beam-venv
USER swara
# Steps bring commands of their own; a Beam worker is started by Beam's boot program.
ENTRYPOINT ["/opt/apache/beam/boot"]

FROM worker AS gpu
ARG STACK
ARG PYTHON
USER root
RUN uv pip install --system --quiet --require-hashes --no-deps -r requirements/${STACK}/gpu.txt
USER swara
# TensorFlow 2.16 does not look for the libraries of these packages by itself. The driver's are mounted at /usr/local/nvidia.
ARG NVIDIA=/usr/local/lib/python${PYTHON}/site-packages/nvidia
ENV PATH=${NVIDIA}/cuda_nvcc/bin:${PATH} \
    LD_LIBRARY_PATH=${NVIDIA}/cublas/lib:${NVIDIA}/cuda_cupti/lib:${NVIDIA}/cuda_nvrtc/lib:${NVIDIA}/cuda_runtime/lib:${NVIDIA}/cudnn/lib:${NVIDIA}/cufft/lib:${NVIDIA}/curand/lib:${NVIDIA}/cusolver/lib:${NVIDIA}/cusparse/lib:${NVIDIA}/nccl/lib:${NVIDIA}/nvjitlink/lib:/usr/local/nvidia/lib64:/usr/local/nvidia/lib
