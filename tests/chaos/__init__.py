"""Deliveries under fire: processes that are killed, connections that break, answers that come late, storms."""
