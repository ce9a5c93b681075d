"""The embedded pipeline as PipelineTasks: each connects one array function to the Butler, and no more."""
