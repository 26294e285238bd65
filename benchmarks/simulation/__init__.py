"""A deterministic simulation of deciding: the very rules that the service runs, in a world of trouble.

A seed makes a world: monitors and their outages, regions that crash, fall silent, fall sick or see trouble
that is theirs alone, messages that are lost, late, doubled or out of order, and a core that dies between
any two steps. Then the trouble ends, and the world goes on for a while in peace. `invariants` says what must
hold all the while, and what must hold then.
"""
