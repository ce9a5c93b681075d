"""What a run rests on, what changed between two runs, and all that one value needs to be had again."""
