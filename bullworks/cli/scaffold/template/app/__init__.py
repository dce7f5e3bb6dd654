"""This service: app_module.py says what it is made of."""
