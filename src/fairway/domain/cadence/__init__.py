"""When things may be released and deployed: trains, windows and freezes.

Here live the arithmetic of calendars and what follows from it. Zones, public holidays and timetables come in as values;
nothing here reads a clock.
"""
