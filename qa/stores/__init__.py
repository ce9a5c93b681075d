"""The history of all runs in databases, and what of a run goes to object stores. `qa.store` names what others use.

Everything here can be rebuilt from the run folders; losing it loses no night.
"""
