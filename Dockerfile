# TerraGen in a container: docker build -t terragen . && docker run --rm -v "$PWD:/data" terragen info /data/DATASET
FROM debian:trixie
COPY scripts/packages.txt /tmp/packages.txt
RUN apt-get update && grep -v '^#' /tmp/packages.txt | xargs apt-get install -y --no-install-recommends && rm -rf /var/lib/apt/lists/*
COPY . /opt/terragen
RUN cmake -S /opt/terragen -B /build -G Ninja -DCMAKE_BUILD_TYPE=Release -DTERRAGEN_TESTS=OFF && cmake --build /build --target terragen && \
    cp /build/bin/terragen /usr/local/bin/ && rm -rf /build
WORKDIR /data
ENTRYPOINT ["terragen"]
