# Gatehouse in one image; compose.yaml starts it once per process (script/entry says how).
FROM python:3.12-slim-bookworm AS packages
WORKDIR /opt/gatehouse
COPY requirements.txt ./
RUN python -m venv .venv && .venv/bin/pip install --no-cache-dir --require-hashes -r requirements.txt

FROM python:3.12-slim-bookworm
# git reads repositories (build worker); ssh speaks to Git hosts with deploy keys.
RUN apt-get update \
    && apt-get install --no-install-recommends -y git openssh-client \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --create-home gatehouse \
    && mkdir -p /data/blobs /data/mirrors \
    && chown -R gatehouse:gatehouse /data
WORKDIR /opt/gatehouse
COPY --from=packages /opt/gatehouse/.venv .venv
COPY manage.py requirements.txt LICENSE NOTICE ./
COPY api api
COPY config config
COPY core core
COPY dashboard dashboard
COPY environments environments
COPY governance governance
COPY jobs jobs
COPY metadata metadata
COPY releases releases
COPY salesforce salesforce
COPY script script
COPY static static
COPY templates templates
# Static files are collected with values that only satisfy the settings; nothing of them is kept.
RUN GATEHOUSE_ROLE=web \
    GATEHOUSE_SECRET_KEY=collecting-static-files-needs-no-secret-but-fifty-letters \
    GATEHOUSE_BASE_URL=http://localhost \
    GATEHOUSE_BLOBS_DIR=/data/blobs \
    GATEHOUSE_MIRRORS_DIR=/data/mirrors \
    DATABASE_URL=postgresql://nobody@localhost/none \
    REDIS_URL=redis://localhost/0 \
    .venv/bin/python manage.py collectstatic --no-input
ENV GATEHOUSE_ENV=production \
    GATEHOUSE_BLOBS_DIR=/data/blobs \
    GATEHOUSE_MIRRORS_DIR=/data/mirrors \
    PYTHONUNBUFFERED=1
USER gatehouse
EXPOSE 8000
VOLUME ["/data"]
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s CMD ["script/entry", "health"]
ENTRYPOINT ["script/entry"]
CMD ["web"]
