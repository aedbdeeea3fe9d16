"""Audit: one card per run, with everything that a sceptical reader would ask about it."""

from kgreason.audit.card import Card, read_card
from kgreason.audit.conduct import Plan, audit

__all__ = ["Card", "Plan", "audit", "read_card"]
