"""Who is told what after a run: digests by subscription and by blame, notices of leases, the status of a commit.

Pure: a run's record, the one before it, the cameras and the day in, notices out. `ci.notify` sends them.
"""
