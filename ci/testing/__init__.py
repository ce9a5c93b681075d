"""What tests of the verbs need beside obsqa: a double of Jenkins, and a place of their own to start obsqa in."""
