"""The made-up desk's clients, and what their people ask for: names, sizes, contracts, kinds of ticket and titles."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Client:
    """`endpoints` machines under contract; `value` a year, as exact decimal text; `renewal` days from today."""

    name: str
    domain: str
    endpoints: int
    value: str
    currency: str
    renewal: int


def _client(name: str, domain: str, endpoints: int, per_endpoint: int, renewal: int, currency: str = "GBP") -> Client:
    machines = endpoints * 8 // 5
    return Client(name, f"{domain}.example", machines, f"{machines * per_endpoint}.00", currency, renewal)


CLIENTS: tuple[Client, ...] = (
    _client("Kestrel Logistics", "kestrel-logistics", 412, 540, 212),
    _client("Harrow & Vale Solicitors", "harrowvale", 186, 720, 48),
    _client("Brightwater Dental Group", "brightwater", 240, 610, 131),
    _client("Northfield Academy Trust", "northfield", 365, 380, 287),
    _client("Pennine Engineering", "pennine-eng", 158, 590, 19),
    _client("Marlowe Estates", "marlowe-estates", 94, 650, 160),
    _client("Castlegate Accountants", "castlegate", 76, 700, 334),
    _client("Orchard Care Homes", "orchardcare", 203, 460, 75),
    _client("Tidewater Shipping", "tidewater", 121, 620, 244),
    _client("Lumen Architects", "lumen-arch", 58, 810, 102),
    _client("Fenwick Foods", "fenwickfoods", 174, 520, 301),
    _client("Ashdown Veterinary", "ashdown-vets", 66, 560, 188),
    _client("Silverline Coaches", "silverline", 83, 480, 27),
    _client("Meridian Housing", "meridian-housing", 147, 500, 225),
    _client("Copperfield Print", "copperfield", 39, 590, 356),
    _client("Delacourt Hotels", "delacourt", 268, 550, 143),
    _client("Quayside Credit Union", "quayside-cu", 52, 880, 90),
    _client("Bramble & Finch", "bramblefinch", 24, 640, 270),
    _client("Hudson Valley Clinics", "hudsonclinics", 196, 690, 176, "USD"),
    _client("Prairie Steel", "prairiesteel", 135, 600, 60, "USD"),
    _client("Lakeshore Legal", "lakeshorelegal", 88, 760, 318, "USD"),
    _client("Redwood Outfitters", "redwood-out", 44, 580, 118, "USD"),
)

STORM_CLIENT = 0


@dataclass(frozen=True, slots=True)
class Work:
    """A kind of ticket: how often (relative), typical minutes, spread of their logarithm, and its leanings.

    `easy` is added to the chance of doing it in the first contact, `hard` multiplies the chance of passing it on.
    `priorities` are the chances of priority 1, 2, 3 (the rest is 4). It escalates to the queue `goes_to` with the
    chance `away`, else to the next line.
    """

    category: str
    often: float
    minutes: float
    sigma: float
    easy: float
    hard: float
    priorities: tuple[float, float, float]
    titles: tuple[str, ...]
    kind: str = "incident"
    goes_to: str = "help-desk"
    away: float = 0.75


_USUAL = (0.005, 0.07, 0.72)
_PRESSING = (0.02, 0.20, 0.66)
_CALM = (0.0, 0.03, 0.55)

DESK_WORK: tuple[Work, ...] = (
    Work("Password and access", 16, 12, 0.45, 0.14, 0.3, _USUAL,
         ("Locked out after the holiday", "Password reset for {who}", "MFA prompt never arrives",
          "Account locked again this morning", "New phone, authenticator lost", "Cannot sign in to the portal")),
    Work("E-mail and calendar", 14, 22, 0.55, 0.04, 0.8, _USUAL,
         ("Shared mailbox missing for {who}", "Outlook keeps asking for a password",
          "Calendar invites show the wrong time", "Messages stuck in the outbox",
          "Signature lost after the update", "Cannot open attachments")),
    Work("Laptop and desktop", 13, 34, 0.6, -0.04, 1.1, _USUAL,
         ("Laptop is very slow since Tuesday", "Blue screen when docking", "Second monitor not found",
          "Battery drains within an hour", "Keyboard types twice", "Screen flickers on the {place} machines")),
    Work("Printing", 8, 20, 0.5, 0.03, 0.7, _CALM,
         ("Printer in the {place} says offline", "Label printer prints half a label", "Scan to e-mail fails",
          "Wrong tray after the driver update", "Queue stuck in the {place}")),
    Work("Network and Wi-Fi", 8, 40, 0.65, -0.12, 1.7, _PRESSING,
         ("Wi-Fi drops in the {place}", "No network at the {place} desks", "Internet slow since nine",
          "Guest Wi-Fi asks for a certificate", "Switch in the {place} beeps"), "incident", "alignment", 0.12),
    Work("VPN and remote access", 8, 24, 0.5, 0.02, 0.9, _USUAL,
         ("VPN disconnects every ten minutes", "Cannot reach the file server from home", "Remote desktop black screen",
          "VPN client asks for an update")),
    Work("Business applications", 10, 48, 0.7, -0.16, 1.9, _PRESSING,
         ("Invoice run stops with an error", "Case system freezes when saving", "Stock app shows yesterday’s figures",
          "Till software will not start", "Report opens empty for {who}"), "incident", "projects", 0.5),
    Work("Phones and meetings", 6, 24, 0.5, 0.02, 0.7, _USUAL,
         ("No sound in meetings for {who}", "Desk phone not registered", "Room camera shows the ceiling",
          "Calls to the main number ring out")),
    Work("Files and permissions", 7, 20, 0.5, 0.05, 0.7, _USUAL,
         ("Access to the {place} folder for {who}", "Restore a file deleted yesterday", "Sync client shows a red cross",
          "Folder moved by accident"), "request"),
    Work("Starters and leavers", 4, 62, 0.4, -0.5, 0.8, _CALM,
         ("New starter on Monday: {who}", "Leaver: close the account of {who}", "Temporary account for an auditor"),
         "request", "projects"),
    Work("Software request", 4, 30, 0.5, -0.12, 0.9, _CALM,
         ("Install the drawing package for {who}", "Licence for {who}", "Add-in for the {place} team"),
         "request", "alignment"),
    Work("Mobile devices", 4, 24, 0.5, 0.0, 0.8, _USUAL,
         ("Phone lost on the train", "Mail stopped on the tablet", "New phone for {who}")),
    Work("Security report", 3, 40, 0.6, -0.3, 3.6, (0.05, 0.40, 0.50),
         ("Suspicious e-mail opened by {who}", "Odd sign-in from abroad", "Invoice fraud attempt reported",
          "Antivirus found something on a {place} machine"), "incident", "centralised"),
)  # fmt: skip

CENTRAL_WORK: tuple[Work, ...] = (
    Work("Monitoring alert", 30, 26, 0.55, 0.05, 0.8, (0.02, 0.16, 0.62),
         ("Disk nearly full on {host}", "CPU high for an hour on {host}", "{host} not answering",
          "Memory alert on {host}", "Service stopped on {host}")),
    Work("Backup", 18, 38, 0.55, -0.02, 0.9, (0.0, 0.18, 0.70),
         ("Backup failed on {host}", "Backup of {host} older than a day", "Restore test for {host} is due")),
    Work("Patching", 16, 56, 0.6, -0.06, 1.1, (0.0, 0.08, 0.62),
         ("Patch failed on {host}", "Reboot pending on {host}", "Out-of-band patch for {host}"), "task"),
    Work("Certificates and domains", 6, 44, 0.5, -0.1, 1.0, (0.0, 0.12, 0.68),
         ("Certificate on {host} expires soon", "Domain renewal is due")),
    Work("Security alert", 12, 60, 0.7, -0.14, 1.5, (0.06, 0.34, 0.48),
         ("Impossible travel alert for {who}", "Quarantined file on {host}", "Admin account used at night",
          "Mail forwarding rule outside the company")),
)  # fmt: skip

PROJECT_WORK: tuple[Work, ...] = (
    Work("Migration", 5, 640, 0.5, 0, 1, (0, 0.1, 0.7),
         ("Move mailboxes, wave {n}", "Move the file server, step {n}", "Cut over to the new tenant"), "task"),
    Work("Network refresh", 4, 520, 0.5, 0, 1, (0, 0.1, 0.7),
         ("Replace the firewall", "New switches, floor {n}", "Wi-Fi survey and access points"), "task"),
    Work("Office move", 2, 760, 0.4, 0, 1, (0, 0.2, 0.7), ("Office move, stage {n}", "Cabling of the {place}"), "task"),
    Work("Server and cloud", 4, 560, 0.55, 0, 1, (0, 0.1, 0.7),
         ("Upgrade {host}", "Virtual desktops, batch {n}", "Decommission {host}"), "task"),
)  # fmt: skip

ALIGNMENT_WORK: tuple[Work, ...] = (
    Work("Alignment visit", 5, 330, 0.3, 0, 1, (0, 0, 0.6),
         ("Quarterly alignment visit", "Standards check, section {n}"), "task"),
    Work("Asset life cycle", 3, 260, 0.45, 0, 1, (0, 0, 0.6), ("Machines to replace next quarter", "Warranty review"),
         "task"),
    Work("Documentation", 3, 210, 0.5, 0, 1, (0, 0, 0.5), ("Network map out of date", "Runbook for {host}"), "task"),
)  # fmt: skip

OUTAGE = Work("Network and Wi-Fi", 1, 26, 0.5, -0.2, 1.2, (0.06, 0.62, 0.30),
              ("No connection at the {place} depot", "Everything down in the {place}", "Scanners offline again",
               "Phones dead in the {place}", "Still no internet"))  # fmt: skip

PLACES = ("warehouse", "front office", "reception", "accounts", "first-floor", "north-wing", "workshop", "meeting-room",
          "back office", "depot", "library", "treatment-room")  # fmt: skip

GIVEN = ("Aisha", "Alan", "Beatriz", "Carys", "Chidi", "Clare", "Daniel", "Deepa", "Edith", "Farid", "Gemma", "Hugo",
         "Imani", "Jack", "Jin", "Karim", "Leila", "Luca", "Magda", "Nadia", "Nils", "Olu", "Paula", "Ravi", "Rosa",
         "Sean", "Tariq", "Uma", "Vera", "Wen", "Yasmin", "Zoë")  # fmt: skip
FAMILY = ("Abbott", "Bello", "Carr", "Dixon", "Evans", "Fox", "Gupta", "Hassan", "Ito", "Jones", "Khan", "Lowe",
          "Moreau", "Nowak", "Osei", "Price", "Quinn", "Reyes", "Shah", "Turner", "Usman", "Voss", "Walsh",
          "Young")  # fmt: skip
HOSTS = ("SRV-FILE-01", "SRV-SQL-02", "SRV-APP-03", "HV-HOST-1", "HV-HOST-2", "SRV-DC-01", "NAS-02", "SRV-RDS-04",
         "FW-EDGE-1", "SRV-PRINT-01")  # fmt: skip
