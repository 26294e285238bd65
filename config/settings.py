"""Every setting, from environment variables that begin with `UPQUORUM_`; docs/settings.md lists them.

Unset, the database, the broker and the secrets are those of the embedded environment in
`UPQUORUM_DATA_DIR`, so a command by hand meets what `make up` started.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import dj_database_url
import django_stubs_ext

from config.local.paths import Paths
from probes import broker, env, logs, names, telemetry
from probes.guard import configured_policy

django_stubs_ext.monkeypatch()  # makes ModelAdmin[...] and its like exist at run time

PATHS = Paths.from_environment()


def generated(value: str, name: str, file: Path) -> str:
    """`value`, which the environment gives under `name`, else the content of `file`; raises `BadSetting`."""
    if value:
        return value
    if not file.is_file():
        raise env.BadSetting(f"{env.PREFIX}{name} is not set, and {file} does not exist: `make up` makes it")
    return file.read_text().strip()


def required(word: str) -> bool:
    """Whether `word` is that, and not `optional`; raises `BadSetting` on any other."""
    if word not in ("required", "optional"):
        raise env.BadSetting(f"{env.PREFIX}ADMIN_TOTP must be required or optional, not {word!r}")
    return word == "required"


SECRET_KEY = generated(env.secret("SECRET_KEY"), "SECRET_KEY", PATHS.secret("secret-key"))
ENCRYPTION_KEYS = env.listed(
    generated(env.secret("ENCRYPTION_KEYS"), "ENCRYPTION_KEYS", PATHS.secret("encryption-key"))
)
DEBUG = False
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS")

HTTPS = env.integer("HTTPS", 0) != 0
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_REDIRECT_EXEMPT = ["^healthz$", "^readyz$", "^metrics$"]  # asked from inside, where there is no TLS
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
PROXIES = env.integer("PROXIES", 0)
if _header := env.text("PROXY_SSL_HEADER"):
    SECURE_PROXY_SSL_HEADER = (f"HTTP_{_header.upper().replace('-', '_')}", "https")

INSTALLED_APPS = [
    "staff.apps.StaffConfig",  # before the admin, so that its templates are found first
    "staff.apps.StaffAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "rest_framework",
    "drf_spectacular_sidecar",  # the assets of /docs
    "accounts",
    "monitors",
    "webhooks",
    "incidents",
    "api",
    "config",
]
MIDDLEWARE = [
    "config.request_spans.RequestSpans",  # around all others; it is there where traces are
    "api.limits.RateLimits",  # before those that answer, so that it sees every answer
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "staff.security.AdminPolicy",
    "config.health.UnavailableWithoutDatabase",  # last, so that it is the first to hear of an exception
]
LOGGING_CONFIG = None  # not Django's: all processes log alike
logs.set_up()
telemetry.check()
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
APPEND_SLASH = False
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DATABASE_URL = env.secret("DATABASE_URL", PATHS.database_url)
DATABASES = {"default": dj_database_url.parse(DATABASE_URL)}
# Checked when it is taken: the connections of a database that was restarted are dead.
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
# A pool, because Celery closes the connection after every task: with one, closing gives it back.
DATABASES["default"].setdefault("OPTIONS", {})["pool"] = {
    "min_size": 1,
    "max_size": env.integer("DATABASE_POOL", 16, minimum=2),
    "timeout": 5,
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
# Only staff have sessions: one that was forgotten somewhere ends within the day.
SESSION_COOKIE_AGE = 12 * 3600
ADMIN_TOTP_REQUIRED = required(env.text("ADMIN_TOTP", "optional"))

USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en-us"
FORMAT_MODULE_PATH = "staff.formats"
STATIC_URL = "static/"
WHITENOISE_USE_FINDERS = True  # a few admin files from the packages: nothing to collect, nothing to forget
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "UNAUTHENTICATED_USER": None,
    "DEFAULT_SCHEMA_CLASS": "api.schema.document.OperationSchema",
}
SPECTACULAR_SETTINGS = {
    "OAS_VERSION": "3.1.1",
    "TITLE": "Upquorum",
    "VERSION": "1",
    "DESCRIPTION": "Uptime monitoring that alerts only when independent regions agree.",
    "POSTPROCESSING_HOOKS": [],
    "SORT_OPERATION_PARAMETERS": False,
}

for _name, _value in broker.CELERY_SETTINGS.items():
    globals()[f"CELERY_{_name.upper()}"] = _value
CELERY_BROKER_URL = broker.broker_url(PATHS.redis_url)
CELERY_TASK_DEFAULT_QUEUE = names.CORE_QUEUE
CELERY_TASK_ROUTES = {
    names.INGEST: {"queue": names.INGEST_QUEUE},
    "webhooks.*": {"queue": names.DELIVERY_QUEUE},
}

REDIS_URL = env.secret("REDIS_URL", PATHS.redis_url)
METRICS_TOKEN = env.secret("METRICS_TOKEN")
API_REQUESTS_PER_MINUTE = env.integer("API_REQUESTS_PER_MINUTE", 200)
KEY_REQUESTS_PER_MINUTE = env.integer("KEY_REQUESTS_PER_MINUTE", 100)
MONITOR_CREATIONS_PER_MINUTE = env.integer("MONITOR_CREATIONS_PER_MINUTE", 20)

REGIONS = env.regions()
MIN_INTERVAL_SECONDS = env.integer("MIN_INTERVAL_SECONDS", 60, minimum=1)
ADDRESS_POLICY = configured_policy({"DATABASE_URL": DATABASE_URL, "REDIS_URL": REDIS_URL})
env.ca_file()  # webhooks use it: what cannot be read is said at start
TCP_PORTS = env.words("TCP_PORTS", "80,443,8080,8443,3000,5000,8000,8888")
INCIDENT_RETENTION = timedelta(days=30)
EVIDENCE_RETENTION_DAYS = env.integer("EVIDENCE_RETENTION_DAYS", 7, minimum=1)
ROLLUP_RETENTION_DAYS = env.integer("ROLLUP_RETENTION_DAYS", 400, minimum=90)

CELERY_BEAT_SCHEDULER = "config.beat.Scheduler"
CELERY_BEAT_SCHEDULE = {
    task: {"task": task, "schedule": seconds, "options": {"expires": seconds}}
    for task, seconds in {
        "monitors.tick": 1.0,
        "incidents.sweep": 1.0,
        "incidents.settle_alarms": 1.0,
        "webhooks.deliver_due": 1.0,
        "monitors.watch_regions": 5.0,
        "incidents.settle_down": 5.0,
        "incidents.watch_servers": 30.0,
        "monitors.keep_partitions": 60.0,
        "monitors.roll_up": 60.0,
        "incidents.roll_up": 60.0,
        "incidents.forget_old": 3600.0,
        "webhooks.forget_old": 3600.0,
    }.items()
}
