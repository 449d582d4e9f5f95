"""Mails about money: who gets which, when, and once."""
