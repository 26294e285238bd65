# Two images of one house: `probe` is all that a region needs, `web` is everything else.
# Nothing here needs BuildKit, so that docker-compose 1.29 builds it, too.

FROM python:3.13-slim AS base
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    UPQUORUM_ALIVE_FILE=/tmp/alive \
    UPQUORUM_LOG_FORMAT=json
RUN useradd --system --uid 10001 --user-group --no-create-home upquorum
WORKDIR /app


FROM base AS probe-packages
COPY requirements/probe.txt requirements/telemetry.txt /tmp/
RUN python3 -m venv /opt/venv \
    && pip install --no-cache-dir --require-hashes --requirement /tmp/probe.txt --requirement /tmp/telemetry.txt


FROM base AS probe
COPY --from=probe-packages /opt/venv /opt/venv
COPY probes probes
RUN install --directory --owner upquorum /run/upquorum/probe && python3 -m compileall -q probes
USER upquorum
HEALTHCHECK --interval=15s --start-period=30s CMD ["python3", "-m", "probes.liveness"]
ENTRYPOINT ["python3", "-m", "probes.worker"]


FROM base AS web-packages
COPY requirements/core.txt requirements/telemetry.txt /tmp/
RUN python3 -m venv /opt/venv \
    && pip install --no-cache-dir --require-hashes --requirement /tmp/core.txt --requirement /tmp/telemetry.txt


FROM base AS web
COPY --from=web-packages /opt/venv /opt/venv
COPY manage.py ./
COPY probes probes
COPY accounts accounts
COPY monitors monitors
COPY webhooks webhooks
COPY incidents incidents
COPY api api
COPY staff staff
COPY config config
# A new volume takes its owner from the folder that it is mounted on.
RUN install --directory --owner upquorum /run/upquorum/core /run/upquorum/database /run/upquorum/broker \
        /run/upquorum/probe \
    && python3 -m compileall -q .
USER upquorum
EXPOSE 8000
CMD ["python3", "-m", "gunicorn", "config.wsgi", "--bind=0.0.0.0:8000", "--worker-class=gthread", \
     "--workers=2", "--threads=16", "--graceful-timeout=5", "--worker-tmp-dir=/dev/shm", "--no-control-socket", \
     "--logger-class=config.logs.GunicornLogger"]
