"""What each platform accepts, in one table, so that every renderer cuts by the same published numbers."""

from __future__ import annotations

# Slack Block Kit reference (docs.slack.dev/reference/block-kit); lengths are UTF-16 code units, counts are items.
SLACK_MESSAGE_BLOCKS = 50
SLACK_VIEW_BLOCKS = 100
SLACK_MESSAGE_CHARS = 10_000  # all text, addresses and values of a message together, as it holds in practice
SLACK_VIEW_CHARS = 60_000  # a view holds 250 KB of JSON; six bytes a character, with room for the structure
SLACK_FALLBACK = 3_000  # documented 4,000; escapes of a notification count on top
SLACK_TEXT = 3_000
SLACK_FIELDS = 10
SLACK_FIELD = 2_000
SLACK_HEADER = 150
SLACK_VIEW_TITLE = 24
SLACK_BUTTON = 75
SLACK_VALUE = 2_000
SLACK_ACTIONS = 25
SLACK_ID = 255
SLACK_METADATA = 3_000
SLACK_LABEL = 2_000
SLACK_INPUT = 3_000
SLACK_OPTIONS = 100
SLACK_OPTION = 75
SLACK_OPTION_VALUE = 150
SLACK_TABLES = 1
SLACK_TABLE_COLUMNS = 20
SLACK_CHARTS = 2
SLACK_CHART_TITLE = 50
SLACK_CHART_AXIS = 50
SLACK_CHART_SERIES = 6
SLACK_CHART_NAME = 20
SLACK_CHART_POINTS = 20
SLACK_CHART_LABEL = 20

# Microsoft Teams: a card of 25 KB is taken everywhere; counted as JSON with every non-ASCII character escaped.
TEAMS_CARD_BYTES = 25_000
TEAMS_LABEL = 300
TEAMS_TITLE = 80
TEAMS_ACTIONS = 6  # what Teams shows in a row before it hides the rest behind "…"
TEAMS_DATA = 4_000  # of one button; its fallback carries it a second time
TEAMS_TABLE_COLUMNS = 12
TEAMS_CHOICES = 100

# The product's own.
TREND_POINTS = 20
RAW_TEXT = 20_000  # no single piece of text is looked at beyond this
URL = 2_000
