# inkgan on a CPU: docker build -t inkgan . && docker run --rm -v "$PWD:/work" inkgan sample --labels 7
FROM python:3.12-slim AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE constraints.txt ./
COPY src ./src
# The index for PyTorch's CPU builds is several times smaller than the default with CUDA.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
RUN python -m venv /opt/inkgan \
    && /opt/inkgan/bin/pip install --no-cache-dir --extra-index-url "$TORCH_INDEX" -c constraints.txt .

FROM python:3.12-slim
COPY --from=build /opt/inkgan /opt/inkgan
ENV PATH=/opt/inkgan/bin:$PATH INKGAN_CACHE=/cache
# A number, so that a cluster can tell that it is not root.
RUN useradd --create-home --uid 1000 inkgan && mkdir /work /cache && chown 1000 /work /cache
USER 1000
WORKDIR /work
VOLUME ["/work", "/cache"]
ENTRYPOINT ["inkgan"]
CMD ["--help"]
