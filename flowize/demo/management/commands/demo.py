"""``manage.py demo``: a complete organization to try things with."""

import json
import re
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.core.errors import Conflict
from flowize.demo import content
from flowize.demo.services import build_demo
from flowize.reference.postman import environment

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,60}")


class Command(BaseCommand):
    """Creates or refreshes the demonstration organization and prints fresh credentials."""

    help = "Create or refresh a complete demonstration organization and print fresh credentials."

    def add_arguments(self, parser: CommandParser) -> None:
        """The organization's name, its applications' rate limit, and the form of the output."""
        parser.add_argument("--name", default="acme", help="the organization; two names are two tenants")
        parser.add_argument("--rate-limit", type=int, default=10_000, help="requests an hour; 0 is unlimited")
        form = parser.add_mutually_exclusive_group()
        form.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
        form.add_argument("--postman", action="store_true", help="print a Postman environment for /v1/postman.json")

    def handle(self, *args: Any, **options: Any) -> None:
        """Build it and print it."""
        if not NAME.fullmatch(options["name"]):
            raise CommandError("--name takes lower-case letters, digits and hyphens, at most 61.")
        if not 0 <= options["rate_limit"] <= 2_147_483_647:
            raise CommandError("--rate-limit takes a number of requests from 0 (unlimited) to 2147483647.")
        try:
            built = build_demo(options["name"], options["rate_limit"])
        except Conflict as error:
            raise CommandError(error.message) from error
        for_programs = built if options["json"] else environment(built) if options["postman"] else None
        self.stdout.write(json.dumps(for_programs, indent=2) if for_programs else _described(built))
        if not for_programs and not settings.EGRESS_ALLOW:
            self.stderr.write("EGRESS_ALLOW is empty, so the flow's call to its local echo will be refused.")


def _described(built: dict[str, Any]) -> str:
    body = json.dumps(content.SAMPLE, separators=(",", ":"))
    return f"""
Admin          {built["admin_url"]}
Login          {built["username"]}
Password       {built["password"]}

API key        {built["api_key"]}
Application    {built["app_key"]}
Client id      {built["client_id"]}
Client secret  {built["client_secret"]}

Insert a record and see where its flow has brought it two seconds later:

curl -s -X POST '{built["base_url"]}/v1/record' -H 'Content-Type: application/json' \\
  -H 'X-Apikey: {built["api_key"]}' -H 'X-App: {built["app_key"]}' \\
  -H 'X-Flow: {built["flow_name"]}' \\
  -d '{body}'

curl -s '{built["base_url"]}/v1/record/UUID-OF-THE-ANSWER' \\
  -H 'X-Apikey: {built["api_key"]}' -H 'X-App: {built["app_key"]}'
"""
