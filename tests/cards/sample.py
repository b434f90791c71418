"""A scorecard as people see it, with every kind of block, and a form, for the renderers' tests."""

from __future__ import annotations

from cards.card import (
    Badge,
    Button,
    Buttons,
    Card,
    Choice,
    Divider,
    Field,
    Fields,
    Form,
    Gauge,
    Heading,
    Input,
    Link,
    Links,
    Point,
    Rule,
    Table,
    Text,
    Trend,
)

TICKET = "https://desk.example.com/t/1042?a=1&b=2"
WEEKS = (82.0, 79.0, 85.0, 84.0, None, 80.0, 78.0, 75.0, 72.0, 70.0, 68.0, 64.0, 62.0)
TREND = Trend(
    "Customer satisfaction by week",
    tuple(Point(f"W{20 + i}", v) for i, v in enumerate(WEEKS)),
    "%",
    "From 82 % to 62 % in thirteen weeks.",
    (Rule("Target", 85.0), Rule("Red line", 70.0)),
)
TABLE = Table(
    ("Ticket", "Client", "Minutes"),
    (
        (Link("INC-1042", TICKET), "Northwind Dental", "35"),
        (Link("INC-1077", "javascript:alert(1)"), "Acme & Sons", "140"),
    ),
    "Tickets behind the red",
)
CARD = Card(
    "Your scorecard",
    (
        Text("Week 31 of 2026", "muted"),
        Gauge("Balanced score", 74.2, 0.0, 100.0, "74 of 100, up 3", "amber"),
        Heading("Reds first"),
        Badge("red", "Customer satisfaction: 62 %"),
        Fields((Field("Target", "85 %"), Field("Sample", "61 of 98"))),
        TREND,
        Text("What helps: call before you close.", "strong"),
        Divider(),
        TABLE,
        Links((Link("Open the desk", "https://desk.example.com/"),)),
        Buttons(
            (
                Button("Why", "why", {"metric": "csat"}),
                Button("Not mine", "correct", {"ticket": "1042"}, "danger", once=True),
            )
        ),
    ),
    "Balanced score 74 of 100. Red: customer satisfaction 62 %.",
    "red",
)
FORM = Form(
    "Leave a ticket out of my score",
    "correct.send",
    (
        Input("reason", "Why should it not count?", "multiline", hint="Your lead reads this."),
        Input(
            "kind", "What is wrong", "choice", (Choice("Not mine", "not-mine"), Choice("Outage", "outage")), "outage"
        ),
        Input("day", "Since", "date", value="2026-08-01", optional=True),
        Input("hours", "Hours", "number", value="2.5", optional=True),
        Input("who", "Whose is it", "text", optional=True),
    ),
    "Send",
    "INC-1042, Northwind Dental",
    {"ticket": "1042"},
)
