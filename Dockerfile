# One static binary on an image without a shell. Built by `make image`, verified by `make test-image`.
# The bases are arguments, so that a build can pin them by digest: --build-arg RUST_IMAGE=docker.io/library/rust@sha256:…
ARG RUST_IMAGE=docker.io/library/rust:1.95-slim-bookworm
ARG RUNTIME_IMAGE=gcr.io/distroless/static-debian12:nonroot

FROM ${RUST_IMAGE} AS build
# hadolint ignore=DL3008 # Debian keeps one version of a package; the tag of the base pins the release
RUN apt-get update \
    && apt-get install -y --no-install-recommends musl-tools \
    && rm -rf /var/lib/apt/lists/* \
    && rustup target add "$(uname -m)-unknown-linux-musl"
# Writes the list of the dependencies into the binary, where `trivy`, `grype` and `syft` find it.
ARG CARGO_AUDITABLE_VERSION=0.7.4
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    cargo install --quiet --locked --version "${CARGO_AUDITABLE_VERSION}" --root /usr/local cargo-auditable
WORKDIR /src
COPY Cargo.toml Cargo.lock build.rs ./
COPY benches benches
COPY mappings mappings
COPY src src
ARG PROFILE=release
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    target="$(uname -m)-unknown-linux-musl" \
    && folder=release && if [ "${PROFILE}" = dev ]; then folder=debug; fi \
    && cargo auditable build --locked --profile "${PROFILE}" --target "$target" --bin chatflow-bridge \
    && mkdir -p /out/data \
    && cp "target/$target/$folder/chatflow-bridge" /out/

FROM ${RUNTIME_IMAGE}
ARG VERSION=0.0.0
ARG REVISION=unknown
ARG CREATED=1970-01-01T00:00:00Z
LABEL org.opencontainers.image.title="chatflow-bridge" \
    org.opencontainers.image.description="A webhook-to-API bridge: turns senders' webhooks into contact updates in Pabbly Chatflow" \
    org.opencontainers.image.licenses="MIT OR Apache-2.0" \
    org.opencontainers.image.version="${VERSION}" \
    org.opencontainers.image.revision="${REVISION}" \
    org.opencontainers.image.created="${CREATED}"
COPY LICENSE-MIT LICENSE-APACHE /licenses/
COPY --from=build --chown=65532:65532 /out/data /data
COPY --from=build /out/chatflow-bridge /usr/local/bin/chatflow-bridge
USER 65532:65532
# The defaults of the settings are relative: the store is /data/chatflow-bridge.db, the mappings are /data/mappings.
WORKDIR /data
EXPOSE 8080 9090
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["/usr/local/bin/chatflow-bridge", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/chatflow-bridge"]
CMD ["serve"]
