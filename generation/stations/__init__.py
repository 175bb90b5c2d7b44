"""Stations and keys: their settings, health, capacity and queues."""
