"""Runs all of genq on one machine (`genq up`) and demonstrates it (`genq demo`)."""
