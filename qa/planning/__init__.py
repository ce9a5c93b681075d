"""Which cameras a night takes when its hours are few, so that every sponsored camera is measured within a week. Pure.

`qa.planning.night` chooses, `qa.planning.timetable` looks a week ahead, `qa.planning.estimate` says how long a camera
takes, `qa.planning.promises` words what can be kept, `qa.planning.budget` puts it into a plan.
"""
