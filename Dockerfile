# Build: docker build -t cexwatch .      Run: docker run --read-only -v cexwatch:/data -p 127.0.0.1:9877:9877 cexwatch
ARG BASE=python:3.13-slim

FROM ${BASE} AS build
COPY requirements.lock /build/
RUN python3 -m venv /opt/cexwatch \
 && /opt/cexwatch/bin/pip install --no-cache-dir --require-hashes --only-binary :all: --requirement /build/requirements.lock \
 && /opt/cexwatch/bin/pip uninstall --yes pip setuptools
COPY monitor /opt/cexwatch/app/monitor
COPY dashboards /opt/cexwatch/app/monitor/shipped/dashboards
COPY docs/runbooks /opt/cexwatch/app/monitor/shipped/docs/runbooks
COPY config /build/config
# Process 1 is deaf to signals it has no handler for: without one, a stop while the journal is read would become a kill.
RUN printf '%s\n' '#!/opt/cexwatch/bin/python' 'import signal' 'import sys' '' \
      'signal.signal(signal.SIGTERM, lambda *_: sys.exit())' 'from monitor.__main__ import main' '' 'main()' \
      > /opt/cexwatch/bin/cexwatch \
 && chmod 0755 /opt/cexwatch/bin/cexwatch
# Loopback inside a container is nobody's; which address it is published on is for `docker run -p` to say.
RUN /opt/cexwatch/bin/python -m compileall -q /opt/cexwatch/app \
 && chmod -R a+rX /opt/cexwatch/app /build/config \
 && sed --in-place 's/^listen: 127\.0\.0\.1:/listen: 0.0.0.0:/' /build/config/cexwatch.yaml \
 && grep --quiet '^listen: 0\.0\.0\.0:' /build/config/cexwatch.yaml

FROM ${BASE}
ARG VERSION=unreleased
ARG REVISION=unknown
ARG CREATED=
LABEL org.opencontainers.image.title="cexwatch" \
      org.opencontainers.image.description="Watches whether centralized crypto exchanges still pay withdrawals, and says so with evidence" \
      org.opencontainers.image.vendor="cexwatch" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.created="${CREATED}" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /opt/cexwatch /opt/cexwatch
COPY --from=build /build/config /etc/cexwatch
RUN install --directory --owner 10001 --group 10001 --mode 0750 /data /witness
# SQLite spills large sorts into temporary files, and under --read-only there is no other place for them than /data.
ENV CEXWATCH_CONFIG=/etc/cexwatch/cexwatch.yaml \
    PATH=/opt/cexwatch/bin:$PATH \
    PYTHONPATH=/opt/cexwatch/app \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    TMPDIR=/data
USER 10001:10001
VOLUME ["/data"]
# Paths in the configuration are relative to here, so that its data/cexwatch.db is /data/cexwatch.db.
WORKDIR /
EXPOSE 9877
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
  CMD ["/opt/cexwatch/bin/python", "-m", "monitor.web.health"]
ENTRYPOINT ["/opt/cexwatch/bin/cexwatch"]
CMD ["run"]
