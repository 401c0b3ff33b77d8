"""What tools/bench does: runs tracers under load and reports what watching costs."""
