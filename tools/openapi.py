"""Prints the OpenAPI document of the API, as docs/openapi.json holds it."""

import sys

from monitor.web.api.openapi import document
from monitor.web.api.operations import OPERATIONS

sys.stdout.buffer.write(document(OPERATIONS))
