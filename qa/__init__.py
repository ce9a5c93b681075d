"""The domain of obsqa: plan, run, process, measure, judge."""
