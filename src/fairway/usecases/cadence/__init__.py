"""When things may be released and deployed, and trains that leave by timetable."""
